// The promises, over arbitrary histories: whatever people, admins, clocks and failing writes do, in any order.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { World } from './model/world.ts';

const RUNS = Number(process.env['LATCHKEY_PROPERTY_RUNS'] ?? 3_000);
/** The same histories each time: what fails is the change that it meets, and not one in a hundred thousand by chance. */
const SEED = Number(process.env['LATCHKEY_PROPERTY_SEED'] ?? 1);
const MINUTE_MS = 60_000;

beforeAll(() => {
  jest.useFakeTimers({
    doNotFake: [
      'nextTick',
      'setImmediate',
      'setTimeout',
      'setInterval',
      'clearTimeout',
      'clearInterval',
      'clearImmediate',
      'queueMicrotask',
      'performance',
      'hrtime',
    ],
  });
});
afterAll(() => {
  jest.useRealTimers();
});

/** Ada and Grace have names of their own; Eve claims Ada's username, and Mallory her namespace. */
const PEOPLE: Readonly<Record<string, object>> = {
  ada: {},
  grace: { namespace: 'hopper' },
  eve: { username: 'ada' },
  mallory: { namespace: 'ada' },
};
const person = fc.constantFrom('ada', 'grace', 'eve', 'mallory');
const someNamespace = fc.constantFrom('ada', 'hopper', 'eve');
const kind = fc.constantFrom('users', 'tokenpolicies', 'namespaces', 'secrets', 'anchors', 'rolebindings');

type Happening = readonly [name: string, ...rest: readonly unknown[]];
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('createUser'), person) },
  { weight: 6, arbitrary: fc.tuple(fc.constant('signIn'), person) },
  { weight: 6, arbitrary: fc.tuple(fc.constant('settle')) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('reconcile'), person) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('deliver'), kind, fc.integer({ min: 1, max: 3 })) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('disable'), person, fc.boolean()) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('offAndOn'), person) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('groups'), person, fc.constantFrom('a', 'b')) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('endAccess'), person) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('deleteUser'), person) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('restoreUser'), person) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('enablePolicy'), fc.boolean()) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('policyOffAndOn')) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('ttl'), fc.constantFrom('30m', '20m', '1h')) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constant('source'), fc.constantFrom('Kubernetes', 'Kubernetes', 'Latchkey')),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant('maxAge'), fc.constantFrom('20m', '2h', undefined)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('recreatePolicy')) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('reconcilePolicy')) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('foreignNamespace'), someNamespace) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('foreignSecret'), someNamespace) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('label'), someNamespace, fc.boolean()) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constant('tamper'),
      someNamespace,
      fc.constantFrom('edit', 'delete', 'finalizer', 'immutable', 'labels'),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant('foreignAnchor'), someNamespace) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constant('tamperAnchor'),
      someNamespace,
      fc.constantFrom('delete', 'finalizer', 'labels'),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant('deleteNamespace'), someNamespace) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('finishNamespaces')) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('fail'), fc.constantFrom('Refused', 'Lost')) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('advance'), fc.integer({ min: 1, max: 40 * MINUTE_MS })) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constant('skew'), fc.constantFrom(0, 0, 4_000, -4_000, 60_000, -3_600_000)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constant('renewLicense'), fc.integer({ min: 1, max: 90 * MINUTE_MS })),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant('deliverLicense')) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('stopOperator')) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('startOperator')) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('relist')) },
) as fc.Arbitrary<Happening>;

/** In a namespace that an admin has handed over. */
const GRACE_HANDED_OVER: readonly Happening[] = [
  ['foreignNamespace', 'hopper'],
  ['label', 'hopper', true],
  ['createUser', 'grace'],
  ['settle'],
  ['signIn', 'grace'],
  ['settle'],
];
const GRACE_BY_KUBERNETES: readonly Happening[] = [['source', 'Kubernetes'], ...GRACE_HANDED_OVER];

/** Most of what can go wrong goes wrong for somebody who has a token already. */
const beginning = fc.constantFrom<readonly Happening[]>(
  [],
  [['createUser', 'ada'], ['settle'], ['signIn', 'ada'], ['settle']],
  [['createUser', 'ada'], ['createUser', 'eve'], ['settle'], ['signIn', 'ada'], ['settle']],
  GRACE_HANDED_OVER,
  [['foreignNamespace', 'hopper'], ['foreignSecret', 'hopper'], ['createUser', 'grace'], ['settle']],
  [['source', 'Kubernetes'], ['createUser', 'ada'], ['settle'], ['signIn', 'ada'], ['settle']],
  GRACE_BY_KUBERNETES,
  [
    ['renewLicense', 50 * MINUTE_MS],
    ['createUser', 'ada'],
    ['settle'],
    ['signIn', 'ada'],
    ['settle'],
    ['advance', 35 * MINUTE_MS],
    ['settle'],
  ],
);

async function happen(world: World, [name, ...rest]: Happening): Promise<void> {
  const [who, what] = rest as [string, never];
  const acts: Record<string, () => unknown> = {
    createUser: () => world.createUser(who, PEOPLE[who] ?? {}),
    signIn: () => world.signIn(who),
    settle: async () => {
      await world.rest();
      world.checkAtRest();
    },
    reconcile: () => world.reconcile(who),
    deliver: () => world.deliver(who as 'users', what),
    disable: () => world.changeUser(who, { disabled: what }),
    offAndOn: () => [true, false].forEach((disabled) => world.changeUser(who, { disabled })),
    groups: () => world.changeUser(who, { groups: [what] }),
    endAccess: () => world.endAccess(who),
    deleteUser: () => world.deleteUser(who),
    restoreUser: () => world.restoreUser(who),
    vanish: () => world.vanishUser(who),
    enablePolicy: () => world.changePolicy({ enabled: rest[0] }),
    policyOffAndOn: () => [false, true].forEach((enabled) => world.changePolicy({ enabled })),
    ttl: () =>
      world.changePolicy({ accessToken: { ttl: who, minRemaining: '10m', audiences: ['latchkey'] } }),
    source: () => world.changePolicy({ tokenSource: who }),
    foreignAnchor: () => world.foreignAnchor(who),
    tamperAnchor: () => world.tamperAnchor(who, what),
    maxAge: () => world.changePolicy({ session: who && { maxAge: who, endOnPasswordChange: false } }),
    recreatePolicy: () => {
      world.deletePolicy();
      world.makePolicy();
    },
    reconcilePolicy: () => world.reconcilePolicy(),
    foreignNamespace: () => world.foreignNamespace(who),
    foreignSecret: () => world.foreignSecret(who),
    label: () => world.labelNamespace(who, what ? 'handed-over' : undefined),
    tamper: () => world.tamper(who, what),
    deleteNamespace: () => world.deleteNamespace(who),
    finishNamespaces: () => world.api.finishNamespaces(),
    fail: () => world.api.failNext(who as 'Lost'),
    advance: () => world.advance(Number(rest[0])),
    skew: () => world.skew(Number(rest[0])),
    renewLicense: () => world.renewLicense(Number(rest[0])),
    deliverLicense: () => world.deliverLicense(),
    stopOperator: () => world.stopOperator(),
    startOperator: () => world.startOperator(),
    relist: () => world.relist(),
  };
  const act = acts[name];
  if (!act) throw new Error(`nobody knows how to ${name}`);
  await act();
}

async function live(history: readonly Happening[]): Promise<World> {
  const world = new World((now) => jest.setSystemTime(now));
  for (const next of history) {
    await happen(world, next);
    world.checkAlways();
  }
  world.skew(0);
  await world.rest();
  world.checkAtRest();
  return world;
}

test(
  'in every history the promises hold, always and at rest',
  async () => {
    await fc.assert(
      fc.asyncProperty(beginning, fc.array(happening, { maxLength: 30 }), async (first, history) => {
        await live([...first, ...history]);
      }),
      { numRuns: RUNS, seed: SEED },
    );
  },
  80 * RUNS,
);

test('the model is not empty: an ordinary history ends with a token', async () => {
  const world = await live([
    ['createUser', 'ada'],
    ['settle'],
    ['signIn', 'ada'],
    ['settle'],
    ['advance', 20 * MINUTE_MS],
    ['settle'],
  ]);
  const secret = world.api.objects.secrets.get('ada/access-token');
  expect(secret?.['data']).toHaveProperty('AUTH_TOKEN');
});

test('and with tokens of Kubernetes, one that hangs on its anchor', async () => {
  const world = await live([['source', 'Kubernetes'], ...SIGNED_IN, ['advance', 20 * MINUTE_MS], ['settle']]);
  const anchor = world.api.objects.anchors.get('ada/access-token-binding');
  expect(tokenOf(world, 'ada')).toHaveProperty('AUTH_TOKEN');
  expect(anchor?.metadata.annotations).toHaveProperty(['latchkey.dev/session']);
});

const SIGNED_IN: readonly Happening[] = [['createUser', 'ada'], ['settle'], ['signIn', 'ada'], ['settle']];
const tokenOf = (world: World, namespace: string) =>
  (world.api.objects.secrets.get(`${namespace}/access-token`)?.['data'] as object | undefined) ?? {};

/** With a clock an hour behind, and none that it has agreed with, an operator takes the licence for a good one. */
const ENDED_UNNOTICED: readonly Happening[] = [
  ['renewLicense', 50 * MINUTE_MS],
  ['settle'],
  ['advance', 35 * MINUTE_MS],
  ['settle'],
  ['advance', 15 * MINUTE_MS],
  ['skew', -60 * MINUTE_MS],
  ['startOperator'],
  ['settle'],
];

/** Histories that broke a promise once, or that chance finds too rarely. `live` checks the promises after each step. */
test.each<readonly [string, readonly Happening[]]>([
  [
    'a policy that was off while only its own controller looked ends every session',
    [['enablePolicy', false], ['deliver', 'tokenpolicies', 9], ['reconcilePolicy'], ['enablePolicy', true]],
  ],
  [
    'a finalizer on the Secret of a namespace that is being deleted keeps no token',
    [['tamper', 'ada', 'finalizer'], ['policyOffAndOn'], ['deleteNamespace', 'ada']],
  ],
  ['a User restored into an orphaned namespace leaves no old token there', [['restoreUser', 'ada']]],
  [
    'a finalizer on the Secret of a User that is gone keeps no token',
    [
      ['restoreUser', 'ada'],
      ['deleteUser', 'ada'],
      ['tamper', 'ada', 'finalizer'],
    ],
  ],
  [
    'a session that was restored with its User does not count',
    [['restoreUser', 'ada'], ['deleteNamespace', 'ada'], ['finishNamespaces']],
  ],
  [
    'a licence that ended and was renewed while no operator ran ends every session',
    [
      ['renewLicense', 50 * MINUTE_MS],
      ['settle'],
      ['stopOperator'],
      ['advance', 60 * MINUTE_MS],
      ['renewLicense', 90 * MINUTE_MS],
      ['startOperator'],
    ],
  ],
  [
    'a licence that ended and was renewed before the operator was told of either ends every session',
    [
      ['renewLicense', 10 * MINUTE_MS],
      ['settle'],
      ['advance', 10 * MINUTE_MS],
      ['renewLicense', 90 * MINUTE_MS],
      ['deliverLicense'],
      ['reconcile', 'ada'],
    ],
  ],
  [
    'a licence that ended while the only operator has no clock to believe ends every session once it has',
    ENDED_UNNOTICED,
  ],
  [
    'a licence that was also renewed in that time ends every session, too',
    [...ENDED_UNNOTICED, ['renewLicense', 90 * MINUTE_MS], ['settle']],
  ],
])('%s', async (_, history) => {
  const world = await live([...SIGNED_IN, ...history]);
  expect(tokenOf(world, 'ada')).not.toHaveProperty('AUTH_TOKEN');
});

/** `live` checks after each that no anchor stands for a session that is over, and none that would not go at once. */
test.each<readonly [string, readonly Happening[]]>([
  ['with a clock that is behind the one of the API server', [['skew', -4_000], ['settle'], ['skew', 0]]],
  ['after somebody has taken the labels off its anchor', [['tamperAnchor', 'hopper', 'labels'], ['settle']]],
  [
    'where it is minted before the operator is told of the labels that somebody has taken off its anchor',
    [
      ['tamperAnchor', 'hopper', 'labels'],
      ['advance', 15 * MINUTE_MS],
      ['reconcile', 'grace'],
    ],
  ],
  ['after somebody has deleted its anchor', [['tamperAnchor', 'hopper', 'delete'], ['settle']]],
])('a token of Kubernetes is there, and is not replaced all the time, %s', async (_, history) => {
  const world = await live([...GRACE_BY_KUBERNETES, ...history]);
  expect(tokenOf(world, 'hopper')).toHaveProperty('AUTH_TOKEN');
});

test.each<readonly [string, readonly Happening[]]>([
  ['of a User that was restored', [['restoreUser', 'grace']]],
  ['of a User that is gone', [['stopOperator'], ['vanish', 'grace'], ['startOperator']]],
  [
    'of a session that is over, though its labels are gone',
    [
      ['tamperAnchor', 'hopper', 'labels'],
      ['endAccess', 'grace'],
    ],
  ],
])('no token of Kubernetes lives on in a namespace that was handed over: %s', async (_, history) => {
  const world = await live([...GRACE_BY_KUBERNETES, ...history]);
  expect(tokenOf(world, 'hopper')).not.toHaveProperty('AUTH_TOKEN');
  expect(world.api.objects.anchors.size).toBe(0);
});

test('a licence that is renewed early, while no operator runs, takes nothing away', async () => {
  const world = await live([
    ...SIGNED_IN,
    ['renewLicense', 50 * MINUTE_MS],
    ['settle'],
    ['stopOperator'],
    ['advance', 40 * MINUTE_MS],
    ['renewLicense', 90 * MINUTE_MS],
    ['advance', 20 * MINUTE_MS],
    ['startOperator'],
  ]);
  expect(tokenOf(world, 'ada')).toHaveProperty('AUTH_TOKEN');
});

test('a token that cannot be replaced leaves the Secret at its floor, and not before', async () => {
  const world = await live(SIGNED_IN);
  world.skew(60_000);
  world.advance(18 * MINUTE_MS);
  await world.rest();
  expect(tokenOf(world, 'ada')).toHaveProperty('AUTH_TOKEN');
  world.advance(2 * MINUTE_MS);
  await world.rest();
  expect(tokenOf(world, 'ada')).not.toHaveProperty('AUTH_TOKEN');
});
