// What the API server says to a good and to a bad User: its messages are the first documentation that an admin meets.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { API_VERSION } from '../../src/api/names.ts';
import { admission, pathOf } from './admission.ts';

const api = await admission();
afterAll(() => api.close());

const user = (name: string, spec?: object) => ({ kind: 'User' as const, metadata: { name }, spec });
const MERGE = 'application/merge-patch+json';
const APPLY = 'application/apply-patch+yaml';

describe('a good User is taken:', () => {
  test.each<[string, string, object]>([
    ['one with a name and nothing else', 'ada', {}],
    ['a name of 63 characters', 'a'.repeat(63), {}],
    ['a name of one digit', '7', {}],
    ['a directory name that is no DNS label', 'ada', { username: 'Ada.Lovelace@example.org' }],
    ['a username with spaces and letters of any script inside', 'ada', { username: 'Ада Лавлейс' }],
    ['another namespace', 'ada', { namespace: 'ada-lovelace' }],
    ['a reserved name with a namespace that is not', 'default', { namespace: 'dora' }],
    ['a namespace that only looks like a reserved one', 'ada', { namespace: 'kubernetes-fans' }],
    ['an email address', 'ada', { email: 'ada@example.org' }],
    ['a display name of any script', 'ada', { displayName: 'Ada «Countess» Lovelace, 伯爵夫人' }],
    ['a role', 'ada', { role: 'admin' }],
    ['groups', 'ada', { groups: ['analytics', 'Engine Owners', 'cn=ada.example'] }],
    ['no groups', 'ada', { groups: [] }],
    ['one that is switched off', 'ada', { disabled: true }],
  ])('%s', async (_what, name, spec) => {
    await expect(api.dryRun(user(name, spec))).resolves.toMatchObject({
      spec: { role: 'member', disabled: false, ...spec },
    });
  });

  test('one without a spec, which is then a member who is not disabled', async () => {
    await expect(api.dryRun({ kind: 'User', metadata: { name: 'ada' } })).resolves.toMatchObject({
      spec: { role: 'member', disabled: false },
    });
  });
});

const RESERVED =
  'spec.namespace: Invalid value: this namespace is reserved: choose a spec.namespace other than';
const LABEL_NAME = 'the name of a User is a DNS label';
const LABEL_NAMESPACE = "a namespace is lower-case letters, digits and '-'";
const USERNAME = 'write it as the directory does, for example ada';
const GROUP = 'write for example analytics';
const EMAIL = 'write for example ada@example.org';
const DISPLAY_NAME = 'write for example Ada Lovelace, or leave it out';

describe('a bad User is refused with what to write instead:', () => {
  test.each<[string, string, object, string]>([
    ['the name default', 'default', {}, RESERVED],
    ['the name latchkey', 'latchkey', {}, RESERVED],
    ['the name latchkey-system', 'latchkey-system', {}, RESERVED],
    ['the name kube-system', 'kube-system', {}, RESERVED],
    ['a name that begins with kube-', 'kube-ada', {}, RESERVED],
    ['the name openshift', 'openshift', {}, RESERVED],
    ['a name that begins with openshift', 'openshift-ada', {}, RESERVED],
    ['the namespace default', 'ada', { namespace: 'default' }, RESERVED],
    ['the namespace kube-public', 'ada', { namespace: 'kube-public' }, RESERVED],
    ['the namespace openshift-config', 'ada', { namespace: 'openshift-config' }, RESERVED],
    ['the namespace latchkey', 'ada', { namespace: 'latchkey' }, RESERVED],
    ['the namespace latchkey-system', 'ada', { namespace: 'latchkey-system' }, RESERVED],

    ['a name with a dot', 'ada.lovelace', {}, LABEL_NAME],
    ['a name of 64 characters', 'a'.repeat(64), {}, LABEL_NAME],
    ['a name with an upper-case letter', 'Ada', {}, 'a lowercase RFC 1123 subdomain'],
    ['a namespace with a dot', 'ada', { namespace: 'ada.l' }, LABEL_NAMESPACE],
    ['a namespace with an upper-case letter', 'ada', { namespace: 'Ada' }, LABEL_NAMESPACE],
    ['a namespace that begins with a hyphen', 'ada', { namespace: '-ada' }, LABEL_NAMESPACE],
    ['a namespace with a line break at its end', 'ada', { namespace: 'ada\n' }, LABEL_NAMESPACE],
    ['an empty namespace', 'ada', { namespace: '' }, LABEL_NAMESPACE],
    ['a namespace of 64 characters', 'ada', { namespace: 'a'.repeat(64) }, 'may not be more than 63'],

    ["a username with ':'", 'ada', { username: 'system:admin' }, USERNAME],
    ["a username with ','", 'ada', { username: 'ada,system' }, USERNAME],
    ['a username with a tab', 'ada', { username: 'ada\tl' }, USERNAME],
    ['a username with a line break at its end', 'ada', { username: 'ada\n' }, USERNAME],
    ['a username with a control character of ISO 8859', 'ada', { username: 'ada\u0085' }, USERNAME],
    ['a username that begins with a space', 'ada', { username: ' ada' }, USERNAME],
    ['a username that ends with a no-break space', 'ada', { username: 'ada\u00A0' }, USERNAME],
    ['an empty username', 'ada', { username: '' }, USERNAME],
    ['a username of 257 characters', 'ada', { username: 'a'.repeat(257) }, 'may not be more than 256'],

    ["a group with ':'", 'ada', { groups: ['ok', 'system:masters'] }, GROUP],
    ["a group with ','", 'ada', { groups: ['a,system:masters'] }, GROUP],
    ['a group with a control character', 'ada', { groups: ['a\u0000'] }, GROUP],
    ['a group with a control character of ISO 8859', 'ada', { groups: ['a\u009b'] }, GROUP],
    ['an empty group', 'ada', { groups: [''] }, GROUP],
    ['a group that is a space', 'ada', { groups: [' '] }, GROUP],
    ['a group that ends with a space', 'ada', { groups: ['analytics '] }, GROUP],
    ['a group twice', 'ada', { groups: ['a', 'b', 'a'] }, 'spec.groups[2]: Duplicate value: "a"'],
    ['65 groups', 'ada', { groups: Array.from({ length: 65 }, (_, n) => `g${n}`) }, 'at most 64 items'],
    ['a group that is no list', 'ada', { groups: 'analytics' }, 'must be of type array'],

    ['an email without @', 'ada', { email: 'ada' }, EMAIL],
    ['an email with two @', 'ada', { email: 'ada@a@example.org' }, EMAIL],
    ['an email with a space', 'ada', { email: 'ada l@example.org' }, EMAIL],
    ['an email with a control character', 'ada', { email: 'ada\u0001@example.org' }, EMAIL],
    ['an empty email', 'ada', { email: '' }, EMAIL],
    ['a display name with a line break', 'ada', { displayName: 'Ada\nLovelace' }, DISPLAY_NAME],
    ['a display name of spaces', 'ada', { displayName: '  ' }, DISPLAY_NAME],
    ['an empty display name', 'ada', { displayName: '' }, DISPLAY_NAME],
    ['a role that is none', 'ada', { role: 'owner' }, 'supported values: "member", "admin"'],
    ['a switch that is text', 'ada', { disabled: 'yes' }, 'must be of type boolean'],
    ['a field that does not exist', 'ada', { group: 'x' }, 'unknown field "spec.group"'],
  ])('%s', async (_what, name, spec, message) => {
    await expect(api.dryRun(user(name, spec))).resolves.toContain(message);
  });
});

describe('the username and the namespace of a User are fixed once made:', () => {
  const plain = 'api-fixed-plain';
  const spelled = 'api-fixed-spelled';
  const SPELLED = { username: 'ada@example.org', namespace: 'api-fixed-elsewhere' };
  const NAMESPACE =
    'spec.namespace: Invalid value: the namespace of a User is fixed once made: delete this User';
  const USER_NAME =
    'spec.username: Invalid value: the username of a User is fixed once made: delete this User';

  beforeAll(async () => {
    for (const manifest of [user(plain, {}), user(spelled, SPELLED)])
      await api.ask({
        method: 'POST',
        path: pathOf('User'),
        body: { apiVersion: API_VERSION, ...manifest },
      });
  });
  afterAll(async () => {
    for (const name of [plain, spelled]) await api.ask({ method: 'DELETE', path: pathOf('User', name) });
  });

  const patch = (name: string, spec: object | null, subresource = '') =>
    api.ask({
      method: 'PATCH',
      path: pathOf('User', name) + subresource,
      query: { dryRun: 'All' },
      contentType: MERGE,
      body: { spec },
    });

  test.each<[string, string, object | null, string]>([
    ['adding a namespace', plain, { namespace: 'api-fixed-elsewhere' }, NAMESPACE],
    ['changing it', spelled, { namespace: 'api-fixed-third' }, NAMESPACE],
    ['removing it', spelled, { namespace: null }, NAMESPACE],
    ['adding a username', plain, { username: 'grace' }, USER_NAME],
    ['changing it', spelled, { username: 'grace' }, USER_NAME],
    ['changing its case', spelled, { username: 'Ada@example.org' }, USER_NAME],
    ['removing it', spelled, { username: null }, USER_NAME],
    ['removing the whole spec', spelled, null, NAMESPACE],
  ])('%s is refused (%s, %j)', async (_what, name, spec, message) => {
    await expect(patch(name, spec)).resolves.toContain(message);
  });

  test('writing down the defaults is allowed, as it changes nothing', async () => {
    const spec = { username: plain, namespace: plain };
    await expect(patch(plain, spec)).resolves.toMatchObject({ spec });
  });

  test('everything else may change', async () => {
    const spec = { email: 'ada@example.org', role: 'admin', groups: ['a'], disabled: true };
    await expect(patch(spelled, spec)).resolves.toMatchObject({ spec: { ...SPELLED, ...spec } });
  });

  test('server-side apply by another manager, even with force, does not get around it', async () => {
    const apply = (force: boolean) =>
      api.ask({
        method: 'PATCH',
        path: pathOf('User', spelled),
        query: { dryRun: 'All', fieldManager: 'somebody', force },
        contentType: APPLY,
        body: { apiVersion: API_VERSION, ...user(spelled, { namespace: 'api-fixed-third' }) },
      });
    await expect(apply(false)).resolves.toContain('409 Conflict');
    await expect(apply(true)).resolves.toContain(NAMESPACE);
  });

  test('a manager that applied the namespace and then leaves it out is refused too', async () => {
    const apply = (spec: object, query: object) =>
      api.ask({
        method: 'PATCH',
        path: pathOf('User', 'api-fixed-applied'),
        query: { fieldManager: 'gitops', ...query },
        contentType: APPLY,
        body: { apiVersion: API_VERSION, ...user('api-fixed-applied', spec) },
      });
    await expect(apply(SPELLED, {})).resolves.toMatchObject({ spec: SPELLED });
    try {
      await expect(apply({ username: SPELLED.username }, { dryRun: 'All' })).resolves.toContain(NAMESPACE);
    } finally {
      await api.ask({ method: 'DELETE', path: pathOf('User', 'api-fixed-applied') });
    }
  });

  test('a write of the status leaves the spec as it is', async () => {
    await expect(patch(spelled, { namespace: 'api-fixed-third' }, '/status')).resolves.toMatchObject({
      spec: SPELLED,
    });
  });
});

describe('the status is Latchkey’s own:', () => {
  const name = 'api-status';
  const status = { phase: 'Active', session: { id: 's', epoch: 'e', userUID: 'u', generation: 1 } };

  test('it cannot be given when the User is made', async () => {
    const made = await api.dryRun({ ...user(name, {}), status });
    expect(made).toMatchObject({ spec: { role: 'member' } });
    expect(made).not.toHaveProperty('status');
  });

  test('it cannot be changed by a write of the User, only by one of its status', async () => {
    const path = pathOf('User', name);
    const body = { status: { phase: 'Terminating' } };
    const dry = { dryRun: 'All' };
    await api.ask({
      method: 'POST',
      path: pathOf('User'),
      body: { apiVersion: API_VERSION, ...user(name, {}) },
    });
    try {
      const patched = await api.ask({ method: 'PATCH', path, query: dry, contentType: MERGE, body });
      expect(patched).toMatchObject({ metadata: { name } });
      expect(patched).not.toMatchObject(body);
      const applied = await api.ask({
        method: 'PATCH',
        path,
        query: { ...dry, fieldManager: 'somebody', force: true },
        contentType: APPLY,
        body: { apiVersion: API_VERSION, ...user(name), ...body },
      });
      expect(applied).toMatchObject({ metadata: { name } });
      expect(applied).not.toMatchObject(body);
      await expect(
        api.ask({ method: 'PATCH', path: `${path}/status`, query: dry, contentType: MERGE, body }),
      ).resolves.toMatchObject(body);
    } finally {
      await api.ask({ method: 'DELETE', path });
    }
  });
});
