// What a token is minted on: proven caches, or the two objects that can say no, read live. Proofs and API are scripted.
import { expect, test } from '@jest/globals';
import { prover } from '../../../src/controllers/users/prove.ts';
import { reconciler } from '../../../src/controllers/users/reconcile.ts';
import type { WrittenSecret } from '../../../src/domain/observed.ts';
import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import { createStores } from '../../../src/observation/caches.ts';
import { ada, policyWith, writtenToken } from '../../domain/pictures.ts';
import { cachedSecret } from './cached-secret.ts';
import { cachesOf } from './caches-of.ts';
import { surroundingsOf } from './surroundings-of.ts';

const MINUTE_MS = 60_000;
const user = ada();
const policy = policyWith();
/** Due, and a minute above its floor. */
const due = writtenToken(user, policy, 0, { expiresAt: new Date(Date.now() + 11 * MINUTE_MS) });

function held({ token }: WrittenSecret) {
  if (!token) throw new TypeError('it holds no token');
  return token;
}

/**
 * @param proofComes whether whoever waits for a proof gets one
 * @param claimed what the annotations say of the Secret, where nobody knows who wrote it
 */
function scene(
  written: WrittenSecret | undefined,
  proofComes: boolean,
  claimed?: NonNullable<WrittenSecret['token']>,
) {
  const stores = createStores();
  const metadata = { name: 'ada', resourceVersion: '1' };
  stores.users.replace([{ ...metadata, uid: user.metadata.uid, user }], '1');
  stores.policies.replace([{ name: 'cluster', uid: 'uid-policy', resourceVersion: '1', policy }], '1');
  stores.namespaces.replace(
    [
      {
        ...metadata,
        uid: 'uid-namespace',
        kind: 'made',
        userUID: user.metadata.uid,
        userName: 'ada',
        deleting: false,
        createdAt: '2030-01-01T00:00:00Z',
      },
    ],
    '1',
  );
  stores.secrets.replace([cachedSecret({ resourceVersion: '1' })], '1');
  let proven = false;
  let waits = 0;
  const proof = {
    isProven: () => proven,
    untilProven: async () => {
      waits += 1;
      proven ||= proofComes;
      return proven;
    },
    ageMs: () => 0,
  };
  const caches = cachesOf(stores, proof);
  const asked: string[] = [];
  const client = {
    request: async ({ method, path }: { method: string; path: string }) => {
      asked.push(`${method} ${path.split('/').at(-1)}`);
      return path.includes('tokenpolicies') ? policy : user;
    },
  } as unknown as KubernetesClient;
  const minted = new Error('minted');
  const reconcile = reconciler({
    prove: prover(client, caches),
    surroundings: surroundingsOf(caches, { written: () => written, claimed: () => claimed }),
    apply: {
      // The first mint ends the story.
      step: async (step) => {
        if (step.do === 'WriteToken') throw minted;
        return true;
      },
      status: async () => undefined,
    },
    tell: () => undefined,
    askPermission: () => undefined,
    now: () => new Date(),
  });
  const untilMinted = () => expect(reconcile('ada', () => true)).rejects.toBe(minted);
  return { untilMinted, asked, waits: () => waits };
}

test('a refresh waits for a proof, so that it costs no request but its own', async () => {
  const { untilMinted, asked, waits } = scene(due, true);
  await untilMinted();
  expect(asked).toEqual([]);
  expect(waits()).toBe(2);
});

test.each([
  ['claims of yesterday', { ...due, token: { ...held(due), claims: 'others' } }, undefined],
  ['a process before this one', undefined, held(due)],
])('the replacement of a token with %s waits for a proof, too', async (_, written, claimed) => {
  const { untilMinted, asked, waits } = scene(written, true, claimed);
  await untilMinted();
  expect(asked).toEqual([]);
  expect(waits()).toBe(2);
});

test.each([
  ['of another session', { ...held(due), session: 'another' }],
  ['below its floor', { ...held(due), expiresAt: new Date(Date.now() + 9 * MINUTE_MS) }],
  ['of a key that was withdrawn', { ...held(due), kid: 'withdrawn' }],
])('nobody waits for a proof with a token %s', async (_, token) => {
  const { untilMinted, asked, waits } = scene({ token }, true);
  await untilMinted();
  expect(asked.toSorted()).toEqual(['GET ada', 'GET cluster']);
  expect(waits()).toBe(0);
});

test('a refresh for which no proof comes reads User and policy live', async () => {
  const { untilMinted, asked } = scene(due, false);
  await untilMinted();
  expect(asked.toSorted()).toEqual(['GET ada', 'GET cluster']);
});

test('nobody waits for a proof with their first token', async () => {
  const { untilMinted, asked, waits } = scene({ reason: 'NotSignedIn' }, true);
  await untilMinted();
  expect(asked.toSorted()).toEqual(['GET ada', 'GET cluster']);
  expect(waits()).toBe(0);
});
