// What is said of a token whose write was never answered: it may be out, so its number must be in the log.
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { applier } from '../../../src/controllers/users/apply.ts';
import { ledger } from '../../../src/controllers/users/ledger.ts';
import type { Step } from '../../../src/domain/step.ts';
import type { Happening } from '../../../src/domain/happening.ts';
import { ApiError, ApiUnreachableError } from '../../../src/kubernetes/api-error.ts';
import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import { createStores, type Caches } from '../../../src/observation/caches.ts';
import { ada, NOW, policyWith } from '../../domain/pictures.ts';
import { cachedSecret } from './cached-secret.ts';

const user = ada();
const STEP = {
  do: 'WriteToken',
  session: 'session-1',
  claims: {},
  digest: 'digest',
} as unknown as Step;

/** A write of a token that ends with this error. @returns what was logged and told */
async function failing(error: Error) {
  const lines: Record<string, unknown>[] = [];
  const told: Happening[] = [];
  const caches = createStores();
  caches.secrets.merge(cachedSecret());
  const client: Pick<KubernetesClient, 'request'> = {
    async request() {
      throw error;
    },
  };
  const apply = applier({
    client: client as KubernetesClient,
    caches: caches as Caches,
    ledger: ledger(),
    signer: { sign: async () => ({ token: 'a.b.c', expiresAt: NOW, jti: 'number-1', kid: 'key' }) },
    tell: (happening: Happening) => void told.push(happening),
    log: pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
  } as unknown as Parameters<typeof applier>[0]);
  const cause = { reason: 'SessionEnded', message: '' };
  await expect(apply.step(STEP, { user, policy: policyWith(), cause })).rejects.toBe(error);
  return { lines, told };
}

test('without an answer its number is in the log, and it does not count as issued', async () => {
  const { lines, told } = await failing(new ApiUnreachableError('ApiUnreachable', 'no answer within 10 s'));
  expect(lines).toMatchObject([
    { event: 'TokenIssueUncertain', user: 'ada', session: 'session-1', jti: 'number-1' },
  ]);
  expect(JSON.stringify(lines)).not.toContain('a.b.c');
  expect(told).toEqual([]);
});

test('with a refusal nothing was written, and nothing is said', async () => {
  const { lines, told } = await failing(new ApiError('PUT /x', 409, {}));
  expect([lines, told]).toEqual([[], []]);
});
