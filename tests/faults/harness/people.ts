// 500 people and what happens to them: each act is done on the cluster and written into the prober's journal.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { waitUntil } from '../../../dev/wait-until.ts';
import type { Operator } from '../../../dev/latchkey/operator.ts';
import { API_VERSION } from '../../../src/api/names.ts';
import type { TokenPolicy } from '../../../src/api/token-policy.ts';
import type { User } from '../../../src/api/user.ts';
import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import type { Journal } from '../prober/journal.ts';
import { forEach, insist, mergePatch } from './admin.ts';

const USERS = '/apis/latchkey.dev/v1alpha1/users';
const POLICY = '/apis/latchkey.dev/v1alpha1/tokenpolicies/cluster';
const PATIENCE_MS = 60_000;
const POST_TIMEOUT_MS = 15_000;

export interface People {
  /** Makes Users; nobody is signed in yet. */
  create(names: readonly string[]): Promise<void>;
  /** Writes a session as a sign-in does, without a password. */
  startSession(name: string): Promise<void>;
  /** Signs in through the portal of a replica that `portal` gives, again until it works. */
  signIn(name: string, password: string, portal: () => Operator | undefined): Promise<void>;
  disable(name: string): Promise<void>;
  /** Takes the switch back; the session that was is over. */
  enable(name: string): Promise<void>;
  /** As the portal's button does. */
  endSession(name: string): Promise<void>;
  /** Off and on again: one write ends everybody's session. */
  switchOffAndOn(): Promise<void>;
}

export function people(admin: KubernetesClient, journal: Journal): People {
  const read = (name: string) => insist<User>(admin, { method: 'GET', path: `${USERS}/${name}` });
  const readPolicy = () => insist<TokenPolicy>(admin, { method: 'GET', path: POLICY });
  const setDisabled = (name: string, disabled: boolean) =>
    insist(admin, mergePatch(`${USERS}/${name}`, { spec: { disabled } }));

  return {
    create: (names) =>
      forEach(names, async (name) => {
        const body = { apiVersion: API_VERSION, kind: 'User', metadata: { name }, spec: {} };
        const { metadata } = await insist<User>(admin, { method: 'POST', path: USERS, body });
        journal.made(name, metadata.uid);
      }),

    async startSession(name) {
      const id = randomUUID();
      const { metadata } = await read(name);
      const { status } = await readPolicy();
      const session = {
        id,
        startedAt: new Date().toISOString(),
        epoch: status?.epoch,
        userUID: metadata.uid,
        generation: metadata.generation,
      };
      journal.starting(name, id);
      await insist(admin, mergePatch(`${USERS}/${name}/status`, { status: { session } }));
      journal.started(name, id);
    },

    async signIn(name, password, portal) {
      journal.signingIn(name);
      const form = new URLSearchParams({ username: name, password }).toString();
      await waitUntil(`${name} to sign in`, PATIENCE_MS, async () => {
        const operator = portal();
        return operator !== undefined && (await post(operator, '/sign-in', form)) === 303;
      });
      const { status } = await read(name);
      if (!status?.session) throw new Error(`${name} has signed in, and has no session`);
      journal.started(name, status.session.id);
    },

    async disable(name) {
      journal.ending(name);
      await setDisabled(name, true);
      journal.ended(name);
    },

    async enable(name) {
      await setDisabled(name, false);
    },

    async endSession(name) {
      journal.ending(name);
      await insist(admin, mergePatch(`${USERS}/${name}/status`, { status: { session: null } }));
      journal.ended(name);
    },

    async switchOffAndOn() {
      const everybody = [...journal.people()].map(({ name }) => name);
      const { epoch } = (await readPolicy()).status ?? {};
      for (const name of everybody) journal.ending(name);
      await insist(admin, mergePatch(POLICY, { spec: { enabled: false } }));
      for (const name of everybody) journal.ended(name);
      await insist(admin, mergePatch(POLICY, { spec: { enabled: true } }));
      await waitUntil('a new epoch', PATIENCE_MS, async () => {
        const { status, metadata } = await readPolicy();
        return status?.epoch !== epoch && status?.observedGeneration === metadata.generation;
      });
    },
  };
}

/** @returns the status; undefined where nobody answers */
async function post(operator: Operator, path: string, body: string): Promise<number | undefined> {
  const agent = new Agent({
    connect: { ca: readFileSync(operator.caFile) },
    headersTimeout: POST_TIMEOUT_MS,
    bodyTimeout: POST_TIMEOUT_MS,
  });
  try {
    const answer = await request(new URL(path, operator.portal), {
      dispatcher: agent,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
    });
    await answer.body.dump();
    return answer.statusCode;
  } catch {
    return undefined;
  } finally {
    await agent.destroy();
  }
}
