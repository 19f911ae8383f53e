// What one watch tells another: a CustomResourceDefinition that is back, to those who ask for its objects.
import { afterEach, beforeEach, test } from '@jest/globals';
import { waitUntil } from '../../dev/wait-until.ts';
import { POLICIES_CRD, USERS_CRD } from '../../src/api/names.ts';
import { kubernetesClient, type KubernetesClient } from '../../src/kubernetes/client.ts';
import { startCaches, type Caches } from '../../src/observation/caches.ts';
import { bookmark, isWatch, line, object, page, quiet, refuse } from '../kubernetes/scripted-resource.ts';
import {
  type Answer,
  type ScriptedApiServer,
  startScriptedApiServer,
} from '../support/scripted-api-server.ts';

let server: ScriptedApiServer;
let client: KubernetesClient;
let life: AbortController;
let caches: Caches | undefined;

beforeEach(async () => {
  server = await startScriptedApiServer(() => undefined);
  client = kubernetesClient(server.connection);
  life = new AbortController();
});
afterEach(async () => {
  life.abort();
  await caches?.done;
  await client.close();
  await server.close();
});

test.each([
  ['users', USERS_CRD],
  ['tokenpolicies', POLICIES_CRD],
] as const)('once the definition of %s is back, they are listed at once', async (name, crd) => {
  const watches: Answer[] = [];
  let isBack = false;
  server.script = (request, answer) => {
    const isDefinition = request.query.get('fieldSelector') === `metadata.name=${crd}`;
    if (isWatch(request)) {
      answer.write(bookmark(10));
      if (isDefinition) watches.push(answer);
      return;
    }
    if (!request.path.endsWith(`/${name}`)) return page(answer, [], 10);
    // Whoever was told to wait for a minute would not be here in time.
    if (!isBack) return refuse(answer, 404, {}, { 'retry-after': '60' });
    page(answer, [object('cluster', 12)], 12);
  };
  const asked = () => server.requests.filter(({ path }) => path.endsWith(`/${name}`)).length;
  caches = startCaches(client, { log: quiet, signal: life.signal });
  await caches.synced;
  await waitUntil(
    'a list in vain, and the watch of the definition',
    20_000,
    () => asked() > 0 && watches.length > 0,
  );
  isBack = true;
  watches[0]?.write(line('ADDED', object(crd, 11)));
  await waitUntil('another list', 20_000, () => asked() > 1);
});
