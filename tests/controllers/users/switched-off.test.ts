// Everybody loses a token at once: what kills tokens comes first for everybody, and the rest after it.
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { waitUntil } from '../../../dev/wait-until.ts';
import { permissions } from '../../../src/controllers/holds/permissions.ts';
import { applier } from '../../../src/controllers/users/apply.ts';
import { usersController } from '../../../src/controllers/users/controller.ts';
import { ledger } from '../../../src/controllers/users/ledger.ts';
import { prover } from '../../../src/controllers/users/prove.ts';
import { reconciler } from '../../../src/controllers/users/reconcile.ts';
import type { ApiRequest, KubernetesClient } from '../../../src/kubernetes/client.ts';
import { createStores } from '../../../src/observation/caches.ts';
import { ANCHORS, BINDINGS, NAMESPACES, POLICIES, SECRETS, USERS } from '../../../src/observation/views.ts';
import { NO_LICENSE } from '../../domain/pictures.ts';
import { cachesOf } from './caches-of.ts';
import { surroundingsOf } from './surroundings-of.ts';
import { ModelApiServer, overTheWire } from './model/api-server.ts';
import { SIGNER, TTL } from './model/world.ts';

const NAMES = Array.from({ length: 100 }, (_, index) => `user-${index}`);
const IN_TIME_MS = 60_000;

interface Case {
  readonly tokenSource: 'Latchkey' | 'Kubernetes';
  /** When the watches tell of a write: before its answer comes, or before that of the next. */
  readonly told: 'before' | 'after';
}

/** Everybody signed in, and an operator. */
function startOperator({ tokenSource, told: when }: Case) {
  const api = new ModelApiServer(() => new Date());
  const requests: ApiRequest[] = [];
  const stores = createStores();
  const model = api.client();
  let told = 0;
  const tell = () => {
    const resources = { users: [USERS, stores.users], tokenpolicies: [POLICIES, stores.policies], namespaces: [NAMESPACES, stores.namespaces], secrets: [SECRETS, stores.secrets], anchors: [ANCHORS, stores.anchors], rolebindings: [BINDINGS, stores.bindings] } as const; // prettier-ignore
    for (const { kind, type, object } of api.changes.slice(told)) {
      if (kind === 'accounts') continue;
      const [resource, store] = resources[kind];
      (store as { applyEvent(type: string, view: unknown): void }).applyEvent(
        type,
        resource.view(overTheWire(object)),
      );
    }
    told = api.changes.length;
  };
  const client: KubernetesClient = {
    ...model,
    async request<T>(request: ApiRequest) {
      requests.push(request);
      const answer = await model.request<T>(request);
      // As from another connection.
      if (when === 'before') tell();
      else setImmediate(tell);
      return answer;
    },
  };
  for (const store of [stores.users, stores.policies, stores.namespaces, stores.secrets, stores.anchors, stores.bindings]) store.replace([], '1'); // prettier-ignore
  api.put('tokenpolicies', 'cluster', {
    spec: { enabled: true, accessToken: TTL, tokenSource },
    status: { epoch: 'epoch', observedGeneration: 1 },
  });
  for (const name of NAMES) {
    const { metadata } = api.put('users', name, { spec: { role: 'member', disabled: false } });
    const session = { id: `session of ${name}`, startedAt: new Date().toISOString(), epoch: 'epoch' };
    api.put('users', name, { status: { session: { ...session, userUID: metadata.uid, generation: 1 } } });
  }
  tell();
  const caches = cachesOf(stores, { isProven: () => true, untilProven: async () => true, ageMs: () => 0 });
  const written = ledger();
  const permitted = permissions();
  const log = pino({ level: 'silent' });
  const surroundings = surroundingsOf(caches, written, { permission: permitted.of });
  const nobody = () => undefined;
  const apply = applier({ client, caches, ledger: written, signer: SIGNER, podSecurity: 'restricted', tell: nobody, log }); // prettier-ignore
  const controller = usersController({
    caches,
    ledger: written,
    license: () => NO_LICENSE,
    permissions: permitted,
    reconcile: reconciler({ prove: prover(client, caches), surroundings, apply, tell: nobody, askPermission: nobody, now: () => new Date() }), // prettier-ignore
    isLeading: () => true,
    log,
  });
  const life = new AbortController();
  const done = controller.run(life.signal);
  return {
    api,
    requests,
    tell,
    async stop() {
      life.abort();
      await done;
    },
  };
}

test.each<Case>([
  { tokenSource: 'Kubernetes', told: 'before' },
  { tokenSource: 'Kubernetes', told: 'after' },
  { tokenSource: 'Latchkey', told: 'before' },
  { tokenSource: 'Latchkey', told: 'after' },
])(
  'by one request each, anchors go before keys, and keys before statuses: %j',
  async ({ tokenSource, told }) => {
    const { api, requests, tell, stop } = startOperator({ tokenSource, told });
    const isReady = ({ status }: { status?: { conditions?: { type: string; status: string }[] } }) =>
      status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
    const users = () => [...api.objects.users.values()];
    await waitUntil('everybody to have a token', IN_TIME_MS, () => users().every((user) => isReady(user as object))); // prettier-ignore
    const anchors = tokenSource === 'Kubernetes' ? NAMES.length : 0;
    expect(api.objects.anchors.size).toBe(anchors);
    requests.length = 0;

    api.put('tokenpolicies', 'cluster', {
      spec: { enabled: false, accessToken: TTL, tokenSource },
      status: { epoch: 'another', observedGeneration: 2 },
    });
    tell();
    await waitUntil('every session to be over', IN_TIME_MS, () =>
      users().every(({ status }) => !('session' in (status as object))),
    );
    await stop();

    const kinds = requests.map(({ method, path }) =>
      method === 'DELETE' ? 'anchor' : path.endsWith('/status') ? 'status' : 'key',
    );
    const each = (kind: string) => NAMES.map(() => kind);
    expect(kinds).toEqual([...each('anchor').slice(0, anchors), ...each('key'), ...each('status')]);
  },
);
