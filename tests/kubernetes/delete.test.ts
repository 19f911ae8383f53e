// Deleting by UID, on a real API server: only the one that was meant goes, and one that has gone is no error.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { kubernetesClient, type KubernetesClient } from '../../src/kubernetes/client.ts';
import { loadConnection } from '../../src/kubernetes/credentials.ts';
import { deleteForGood, deleteIfThere } from '../../src/kubernetes/delete.ts';
import { testCluster } from '../support/cluster.ts';

const cluster = await testCluster();
const PATH = '/api/v1/namespaces/delete-tests/configmaps';
let client: KubernetesClient;

beforeAll(async () => {
  client = kubernetesClient(await loadConnection(cluster.adminKubeconfig));
  const body = { metadata: { name: 'delete-tests' } };
  await client.request({ method: 'POST', path: '/api/v1/namespaces', body });
});
afterAll(async () => {
  await client.request({ method: 'DELETE', path: '/api/v1/namespaces/delete-tests' });
  await client.close();
});

async function make(name: string): Promise<string> {
  const body = { metadata: { name } };
  const { metadata } = await client.request<{ metadata: { uid: string } }>({
    method: 'POST',
    path: PATH,
    body,
  });
  return metadata.uid;
}

const get = (name: string) => client.request({ method: 'GET', path: `${PATH}/${name}` });

test('the object with that UID is deleted, and to delete it once more is no error', async () => {
  const uid = await make('one');
  expect(await deleteIfThere(client, `${PATH}/one`, uid)).toBe(true);
  await expect(get('one')).rejects.toMatchObject({ status: 404, reason: 'NotFound' });
  expect(await deleteIfThere(client, `${PATH}/one`, uid)).toBe(true);
});

test('another one that has its name by now stays', async () => {
  const first = await make('two');
  expect(await deleteIfThere(client, `${PATH}/two`, first)).toBe(true);
  const second = await make('two');
  expect(await deleteIfThere(client, `${PATH}/two`, first)).toBe(false);
  await expect(get('two')).resolves.toMatchObject({ metadata: { uid: second } });
});

test('one that somebody’s finalizer keeps goes for good, and another one of its name stays', async () => {
  const body = { metadata: { name: 'kept', finalizers: ['example.org/mine'] } };
  const { metadata } = await client.request<{ metadata: { uid: string } }>({
    method: 'POST',
    path: PATH,
    body,
  });
  expect(await deleteIfThere(client, `${PATH}/kept`, metadata.uid)).toBe(false);
  await expect(get('kept')).resolves.toMatchObject({ metadata: { uid: metadata.uid } });
  const kept = { uid: metadata.uid, finalizers: true };
  await deleteForGood(client, `${PATH}/kept`, kept);
  await expect(get('kept')).rejects.toMatchObject({ status: 404 });
  const second = await client.request<{ metadata: { uid: string } }>({ method: 'POST', path: PATH, body });
  await deleteForGood(client, `${PATH}/kept`, kept);
  await expect(get('kept')).resolves.toMatchObject({
    metadata: { uid: second.metadata.uid, finalizers: ['example.org/mine'] },
  });
  await deleteForGood(client, `${PATH}/kept`, { uid: second.metadata.uid, finalizers: true });
});

test('every other refusal is passed on', async () => {
  const uid = await make('three');
  const stranger = kubernetesClient(await loadConnection(await cluster.clientKubeconfig('delete-stranger')));
  try {
    await expect(deleteIfThere(stranger, `${PATH}/three`, uid)).rejects.toMatchObject({
      status: 403,
      reason: 'Forbidden',
    });
  } finally {
    await stranger.close();
  }
});
