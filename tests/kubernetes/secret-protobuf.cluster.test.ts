// What the API server reads out of a Secret in protobuf, beside the same in JSON.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ControlPlane, startControlPlane } from '../../dev/cluster/control-plane.ts';
import { type ApiRequest, kubernetesClient, type KubernetesClient } from '../../src/kubernetes/client.ts';
import { loadConnection } from '../../src/kubernetes/credentials.ts';
import type { RawObject } from '../../src/kubernetes/resource.ts';
import { encodeSecret, PROTOBUF } from '../../src/kubernetes/secret-protobuf.ts';

const controlPlane: ControlPlane = await startControlPlane();
let client: KubernetesClient;

beforeAll(async () => {
  client = kubernetesClient(await loadConnection(controlPlane.adminKubeconfig));
});
afterAll(async () => {
  await client.close();
  await controlPlane.stop();
});

const PATH = '/api/v1/namespaces/default/secrets';
const CONTENT = {
  labels: { 'app.kubernetes.io/managed-by': 'latchkey', empty: '' },
  annotations: {
    plain: 'x',
    'example.org/name': 'Ŵîłł 李 🔑\n"quoted"',
    empty: '',
    long: 'y'.repeat(200_000),
  },
};
const TOKEN = Buffer.from([0, 0xff, ...Buffer.from('a.b.c')]);

/** Makes a Secret, with a key and a field manager of its own, and puts another in its place. */
async function replaced(
  name: string,
  bodyOf: (made: RawObject['metadata']) => Pick<ApiRequest, 'body' | 'contentType'>,
) {
  const { metadata } = await client.request<RawObject>({
    method: 'POST',
    path: PATH,
    body: { metadata: { name, annotations: { goes: 'away' } }, data: { OLD: btoa('old') } },
  });
  await client.request({ method: 'PUT', path: `${PATH}/${name}`, ...bodyOf(metadata) });
  const { metadata: after, ...rest } = await client.request<RawObject>({
    method: 'GET',
    path: `${PATH}/${name}`,
  });
  expect(after.uid).toBe(metadata.uid);
  const { labels, annotations, managedFields } = after as typeof after & { managedFields?: unknown };
  return { ...rest, labels, annotations, managedFields };
}

test('is the same', async () => {
  const metadataOf = ({ name, uid, resourceVersion }: RawObject['metadata']) => ({
    name,
    uid,
    resourceVersion,
    namespace: 'default',
    managedFields: [{}],
    ...CONTENT,
  });
  const inProtobuf = await replaced('in-protobuf', (made) => ({
    contentType: PROTOBUF,
    body: encodeSecret({ type: 'Opaque', metadata: metadataOf(made), data: { AUTH_TOKEN: TOKEN } }),
  }));
  const inJson = await replaced('in-json', (made) => ({
    body: {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: metadataOf(made),
      data: { AUTH_TOKEN: TOKEN.toString('base64') },
    },
  }));
  expect(inProtobuf).toEqual(inJson);
  expect(inProtobuf).toMatchObject({ ...CONTENT, data: { AUTH_TOKEN: TOKEN.toString('base64') } });
  expect(inProtobuf.managedFields).toBeUndefined();
});

test('and it is refused where somebody was faster', async () => {
  const metadata = {
    name: 'in-protobuf',
    namespace: 'default',
    labels: {},
    annotations: {},
    managedFields: [],
  };
  const { metadata: there } = await client.request<RawObject>({ method: 'GET', path: `${PATH}/in-protobuf` });
  const write = client.request({
    method: 'PUT',
    path: `${PATH}/in-protobuf`,
    contentType: PROTOBUF,
    body: encodeSecret({
      type: 'Opaque',
      metadata: { ...metadata, uid: there.uid, resourceVersion: '1' },
      data: {},
    }),
  });
  await expect(write).rejects.toMatchObject({ status: 409 });
});
