// The kubelet's questions, answered in time.
import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { fastify } from 'fastify';
import { registerHealth } from '../../src/servers/health.ts';
import type { HealthCheck } from '../../src/servers/health.ts';

const good: HealthCheck = { name: 'watches', healthy: () => true };
const bad: HealthCheck = { name: 'signing-keys', healthy: () => Promise.resolve(false) };
const broken: HealthCheck = { name: 'leader', healthy: () => Promise.reject(new Error('lease 10.0.0.1')) };

/** Of a machine that stands still meanwhile both are due at once, and what was due first has some turns to be told. */
async function kubeletGivesUp(): Promise<string> {
  await delay(1_000);
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  return 'the kubelet has given up';
}

async function probe(path: string, live: HealthCheck[], ready: HealthCheck[]) {
  const app = fastify();
  registerHealth(app, { live, ready });
  const { statusCode, body } = await app.inject(path);
  return { statusCode, body };
}

describe('the health endpoints', () => {
  test('say ok when every check passes', async () => {
    expect(await probe('/livez', [good], [bad])).toEqual({ statusCode: 200, body: 'ok\n' });
    expect(await probe('/readyz', [bad], [good])).toEqual({ statusCode: 200, body: 'ok\n' });
  });

  test('name the checks that fail and nothing else', async () => {
    expect(await probe('/readyz', [], [good, bad, broken])).toEqual({
      statusCode: 503,
      body: 'failed: signing-keys, leader\n',
    });
  });

  test('answer before a kubelet gives up, when a check hangs', async () => {
    const kubelet = Promise.withResolvers<string>();
    const hanging: HealthCheck = {
      name: 'directory',
      healthy() {
        kubelet.resolve(kubeletGivesUp());
        return new Promise(() => undefined);
      },
    };
    expect(await Promise.race([probe('/livez', [hanging], []), kubelet.promise])).toEqual({
      statusCode: 503,
      body: 'failed: directory\n',
    });
  });
});
