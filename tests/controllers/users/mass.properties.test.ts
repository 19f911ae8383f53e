// No mass accident, over arbitrary histories: whatever is deleted or vanishes, in any order, at most nine go without a word.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { World } from './model/world.ts';

const RUNS = Math.ceil(Number(process.env['LATCHKEY_PROPERTY_RUNS'] ?? 3_000) / 60);
const MINUTE_MS = 60_000;
const PEOPLE = Array.from({ length: 14 }, (_, index) => `user-${String(index).padStart(2, '0')}`);
/** They have a token, which who is held keeps; so they are deleted, and do not vanish. */
const SIGNED_IN = PEOPLE.slice(0, 2);

beforeAll(() => {
  // Only what the model sets.
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'clearImmediate', 'queueMicrotask', 'performance', 'hrtime'] }); // prettier-ignore
});
afterAll(() => {
  jest.useRealTimers();
});

type Act = (world: World) => unknown;
type Happening = readonly [name: string, act: Act];

const several = (people: readonly string[], most: number) =>
  fc.shuffledSubarray([...people], { minLength: 1, maxLength: Math.min(most, people.length) });
const kind = fc.constantFrom('users', 'tokenpolicies', 'namespaces', 'secrets', 'rolebindings');
const always = (name: string, act: Act) => fc.constant<Happening>([name, act]);

const rest: Happening = [
  'settle',
  async (world) => {
    await world.rest();
    world.checkAtRest();
  },
];
const remove = (names: readonly string[]): Happening => [
  `delete ${names.join(' ')}`,
  (world) => names.forEach((name) => world.deleteUser(name)),
];
const vanish = (names: readonly string[]): Happening => [
  `vanish ${names.join(' ')}`,
  (world) => names.forEach((name) => world.vanishUser(name)),
];

/** What happens to an operator while it offboards. */
const meanwhile: fc.WeightedArbitrary<Happening>[] = [
  { weight: 6, arbitrary: fc.constant(rest) },
  { weight: 3, arbitrary: fc.constantFrom(...PEOPLE).map((name): Happening => [`reconcile ${name}`, (world) => world.reconcile(name)]) }, // prettier-ignore
  { weight: 3, arbitrary: always('reconcile the policy', (world) => world.reconcilePolicy()) },
  { weight: 3, arbitrary: kind.map((which): Happening => [`deliver ${which}`, (world) => world.deliver(which, 5)]) }, // prettier-ignore
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 12 * MINUTE_MS }).map((ms): Happening => [`advance ${ms}`, (world) => world.advance(ms)]) }, // prettier-ignore
  { weight: 2, arbitrary: fc.constantFrom('Refused' as const, 'Lost' as const).map((fault): Happening => [fault, (world) => world.api.failNext(fault)]) }, // prettier-ignore
  { weight: 2, arbitrary: always('stop', (world) => world.stopOperator()) },
  { weight: 2, arbitrary: always('start', (world) => world.startOperator()) },
  { weight: 1, arbitrary: always('relist', (world) => world.relist()) },
];
const losing: fc.WeightedArbitrary<Happening>[] = [
  { weight: 5, arbitrary: several(PEOPLE, PEOPLE.length).map(remove) },
  { weight: 5, arbitrary: several(PEOPLE, 2).map(remove) },
  {
    weight: 3,
    arbitrary: several(
      PEOPLE.filter((name) => !SIGNED_IN.includes(name)),
      PEOPLE.length,
    ).map(vanish),
  },
];
const confirming = { weight: 2, arbitrary: always('confirm', (world) => world.confirm()) };

async function company(): Promise<World> {
  const world = new World((now) => jest.setSystemTime(now));
  for (const name of PEOPLE) world.createUser(name, {});
  await world.rest();
  for (const name of SIGNED_IN) await world.signIn(name);
  await world.rest();
  world.checkAtRest();
  return world;
}

async function live(world: World, history: readonly Happening[], check = (): void => undefined) {
  for (const [, act] of history) {
    await act(world);
    world.checkAlways();
    check();
  }
  await world.rest();
  world.checkAtRest();
  check();
}

const namespacesOf = (world: World) =>
  PEOPLE.filter((name) => {
    const namespace = world.api.objects.namespaces.get(name);
    return namespace && namespace.metadata.deletionTimestamp === undefined;
  });

test('in every history at most nine go unasked, and who was confirmed goes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(...meanwhile, ...losing, confirming), { maxLength: 20 }),
      async (history) => {
        const world = await company();
        await live(world, history);
        world.confirm();
        await world.rest();
        world.checkAtRest();
        expect(world.openHolds()).toEqual([]);
      },
    ),
    { numRuns: RUNS },
  );
});

test('in no history do three deletions ask', async () => {
  await fc.assert(
    fc.asyncProperty(
      several(PEOPLE, 3),
      fc.array(fc.oneof(...meanwhile), { maxLength: 20 }),
      async (names, history) => {
        const world = await company();
        const neverAsked = () => expect(world.openHolds()).toEqual([]);
        // One by one, somewhere in it.
        const among = history.flatMap((each, index) =>
          index < names.length ? [remove([names[index] ?? '']), each] : [each],
        );
        await live(world, [...among, ...names.map((name) => remove([name]))], neverAsked);
        expect(namespacesOf(world)).toEqual(PEOPLE.filter((name) => !names.includes(name)));
      },
    ),
    { numRuns: RUNS },
  );
});

const all = PEOPLE.slice(2);
test.each<readonly [string, readonly Happening[], number]>([
  ['all that are deleted at once stay', [remove(PEOPLE)], 14],
  ['nine that are deleted go', [remove(PEOPLE.slice(0, 9))], 5],
  ['of those that are deleted one by one nine go', PEOPLE.flatMap((name) => [remove([name]), rest]), 5],
  ['all that vanish at once stay', [vanish(all)], 14],
  [
    'all that vanish while no operator runs stay',
    [['stop', (world) => world.stopOperator()], vanish(all), ['start', (world) => world.startOperator()]],
    14,
  ],
  [
    'all that are confirmed go, and who comes after is counted anew',
    [remove(PEOPLE.slice(0, 12)), rest, ['confirm', (world) => world.confirm()], remove(PEOPLE.slice(12))],
    0,
  ],
])('%s', async (_, history, left) => {
  const world = await company();
  await live(world, history);
  expect(namespacesOf(world)).toHaveLength(left);
});

test('who is held keeps a token that stays fresh', async () => {
  const world = await company();
  await live(world, [remove(PEOPLE), rest, ['advance', (each) => each.advance(25 * MINUTE_MS)], rest]);
  for (const name of SIGNED_IN)
    expect(world.api.objects.secrets.get(`${name}/access-token`)?.['data']).toHaveProperty('AUTH_TOKEN');
});
