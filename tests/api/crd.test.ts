// The CustomResourceDefinitions: what lies in crds/ is what src/api makes, and an admin can read it in kubectl.
import { afterAll, describe, expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { parse } from 'yaml';
import { waitUntil } from '../../dev/wait-until.ts';
import { customResourceDefinitions } from '../../src/api/crd.ts';
import { API_VERSION } from '../../src/api/names.ts';
import { admission, pathOf } from './admission.ts';

const FOLDER = new URL('../../crds/', import.meta.url);
const api = await admission();
afterAll(() => api.close());

test('crds/ holds exactly what src/api makes: else run "npm run generate"', () => {
  const files = readdirSync(FOLDER).toSorted();
  const made = customResourceDefinitions();
  expect(files).toEqual(made.map(({ metadata }) => `${metadata.name}.yaml`).toSorted());
  for (const crd of made) {
    const text = readFileSync(new URL(`${crd.metadata.name}.yaml`, FOLDER), 'utf8');
    expect(parse(text)).toEqual(JSON.parse(JSON.stringify(crd)));
  }
});

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** Every field of a schema with its path, such as spec.groups. */
function fieldsOf(schema: Schema, path = ''): [string, Schema][] {
  const fields: [string, Schema][] = schema.items ? fieldsOf(schema.items, path) : [];
  for (const [name, field] of Object.entries(schema.properties ?? {}))
    fields.push([path + name, field], ...fieldsOf(field, `${path}${name}.`));
  return fields;
}

test.each(customResourceDefinitions().map((crd) => [crd.metadata.name, crd] as const))(
  'every field of %s has a description',
  (_name, { spec }) => {
    const { versions } = spec as { versions: [{ schema: { openAPIV3Schema: Schema } }] };
    const schema = versions[0].schema.openAPIV3Schema;
    const fields = fieldsOf(schema);
    expect(schema.description).toMatch(/\.$/);
    expect(fields.length).toBeGreaterThan(8);
    const without = fields.filter(([, field]) => !/^.{10,}\.$/.test(field.description ?? ''));
    expect(without.map(([path]) => path)).toEqual([]);
  },
);

/** kubectl breaks lines, and the API server publishes a schema a moment after it has taken it. */
function explain(what: string, containing: string): Promise<string> {
  return waitUntil(`kubectl explain ${what} to say "${containing}"`, 60_000, async () => {
    const text = await api.cluster.kubectl(['explain', what]).catch((error: Error) => error.message);
    const flat = text.replace(/\s+/g, ' ');
    return flat.includes(containing) && flat;
  });
}

describe('kubectl explain', () => {
  test('tells an admin what a User is made of', async () => {
    const text = await explain('users.latchkey.dev.spec', 'What an admin says of the user.');
    for (const words of [
      'username <string> How the directory (and Kubernetes RBAC) knows the user',
      'namespace <string> The namespace that Latchkey makes for the user',
      'role <string> enum: member, admin A claim in the token',
      'groups <[]string> Claims in the token',
      "disabled <boolean> The admin's own switch.",
    ])
      expect(text).toContain(words);
    await explain('users.latchkey.dev', 'A person who may have a token.');
    await explain('users.latchkey.dev.metadata', "Standard object's metadata");
  });

  test('tells an admin what a TokenPolicy says of tokens', async () => {
    const text = await explain(
      'tokenpolicies.latchkey.dev.spec.accessToken',
      'What every new token is like.',
    );
    for (const words of [
      'ttl <string> How long a new token lives: 1m to 24h.',
      'minRemaining <string> How long a token that is read from the Secret lives at the least.',
      'audiences <[]string> The claim "aud": which services accept the token.',
    ])
      expect(text).toContain(words);
  });
});

interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}

test('kubectl get users shows who has a token, and why not', async () => {
  const name = 'api-columns';
  const path = pathOf('User', name);
  const startedAt = new Date(Date.now() - 3 * 3_600_000).toISOString();
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'TokenCurrent',
    message: 'The token is current.',
    lastTransitionTime: startedAt,
  };
  const session = { id: 's', startedAt, epoch: 'e', userUID: 'u', generation: 1 };
  await api.ask({
    method: 'POST',
    path: pathOf('User'),
    body: { apiVersion: API_VERSION, kind: 'User', metadata: { name } },
  });
  try {
    // As a table, which is how kubectl asks; and dry, so that nobody else writes the status in between.
    const answer = await api.ask({
      method: 'PATCH',
      path: `${path}/status`,
      query: { dryRun: 'All' },
      accept: 'application/json;as=Table;g=meta.k8s.io;v=v1',
      contentType: 'application/merge-patch+json',
      body: { status: { phase: 'Active', namespace: 'api-elsewhere', session, conditions: [ready] } },
    });
    const { columnDefinitions, rows } = answer as Table;
    expect(columnDefinitions.map((column) => column.name.toUpperCase())).toEqual([
      'NAME',
      'NAMESPACE',
      'PHASE',
      'REASON',
      'SIGNED IN',
      'AGE',
    ]);
    expect(columnDefinitions.every(({ priority }) => priority === 0)).toBe(true);
    expect(rows[0]?.cells.slice(0, 5)).toEqual([name, 'api-elsewhere', 'Active', 'TokenCurrent', '3h']);
    // And kubectl does show them.
    const [header = ''] = (await api.cluster.kubectl(['get', 'users.latchkey.dev', name])).split('\n');
    expect(header.trim()).toMatch(/^NAME +NAMESPACE +PHASE +REASON +SIGNED IN +AGE$/);
  } finally {
    await api.ask({ method: 'DELETE', path });
  }
});
