// One key of a Secret, on a real API server, and a message that says what to make where it is not there.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { kubernetesClient, type KubernetesClient } from '../../src/kubernetes/client.ts';
import { loadConnection } from '../../src/kubernetes/credentials.ts';
import { secretValue } from '../../src/kubernetes/secret-value.ts';
import { testCluster } from '../support/cluster.ts';

const cluster = await testCluster();
const namespace = 'secret-value-tests';
let client: KubernetesClient;

beforeAll(async () => {
  client = kubernetesClient(await loadConnection(cluster.adminKubeconfig));
  await client.request({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { metadata: { name: namespace } },
  });
  const path = `/api/v1/namespaces/${namespace}/secrets`;
  const stringData = { password: 'Ада €', nothing: '' };
  await client.request({ method: 'POST', path, body: { metadata: { name: 'full' }, stringData } });
  await client.request({ method: 'POST', path, body: { metadata: { name: 'empty' } } });
});
afterAll(async () => {
  await client.request({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` });
  await client.close();
});

test.each([
  ['password', 'Ада €'],
  ['nothing', ''],
])('the key %s is read as text', async (key, value) => {
  await expect(secretValue(client, { namespace, name: 'full', key })).resolves.toBe(value);
});

test.each([
  ['full', 'other'],
  ['empty', 'password'],
  ['missing', 'password'],
])('where the Secret %s has no key %s, the error says what to make', async (name, key) => {
  await expect(secretValue(client, { namespace, name, key })).rejects.toMatchObject({
    code: 'SecretMissing',
    message: `Make the Secret ${name} in the namespace ${namespace}, with the key ${key}.`,
  });
});

test('a refusal is passed on', async () => {
  const stranger = kubernetesClient(await loadConnection(await cluster.clientKubeconfig('secret-stranger')));
  try {
    await expect(secretValue(stranger, { namespace, name: 'full', key: 'password' })).rejects.toMatchObject({
      status: 403,
    });
  } finally {
    await stranger.close();
  }
});
