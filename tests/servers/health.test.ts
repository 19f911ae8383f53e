// The kubelet's questions, answered in time.
import { describe, expect, test } from '@jest/globals';
import { fastify } from 'fastify';
import { registerHealth } from '../../src/servers/health.ts';
import type { HealthCheck } from '../../src/servers/health.ts';

const good: HealthCheck = { name: 'watches', healthy: () => true };
const bad: HealthCheck = { name: 'signing-keys', healthy: () => Promise.resolve(false) };
const broken: HealthCheck = { name: 'leader', healthy: () => Promise.reject(new Error('lease 10.0.0.1')) };
const hanging: HealthCheck = { name: 'directory', healthy: () => new Promise(() => undefined) };

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
    const started = performance.now();
    expect(await probe('/livez', [hanging], [])).toEqual({ statusCode: 503, body: 'failed: directory\n' });
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
