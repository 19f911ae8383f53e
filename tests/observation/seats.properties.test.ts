// Seats over any history of Users, against counting them all anew.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { User } from '../../src/api/user.ts';
import { isOlder } from '../../src/domain/claimants.ts';
import { isSeated, wantsSeat } from '../../src/domain/seats.ts';
import { Store } from '../../src/kubernetes/store.ts';
import { seating } from '../../src/observation/seats.ts';
import type { CachedUser } from '../../src/observation/views.ts';
import { aSession } from '../domain/pictures.ts';
import { sampleUser } from '../domain/sample.ts';

interface Event {
  readonly name: string;
  readonly act: 'create' | 'signIn' | 'signOut' | 'disable' | 'enable' | 'deleting' | 'delete' | 'take';
}

const event = fc.record<Event>({
  name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  act: fc.constantFrom(
    'create',
    'create',
    'signIn',
    'signIn',
    'signOut',
    'disable',
    'enable',
    'deleting',
    'delete',
    'take',
  ),
});

/** Two are made in one second, where only the UID, or who has the name, tells them apart. */
function made(name: string, version: number): User {
  return sampleUser({
    name,
    uid: `uid-${name}-${version}`,
    createdAt: `2030-01-01T00:00:${10 + (version >> 1)}Z`,
  });
}

function after(user: User, act: Event['act']): User {
  const { session: _, ...status } = user.status ?? {};
  switch (act) {
    case 'signIn':
      return { ...user, status: { ...status, session: aSession() } };
    case 'signOut':
      return { ...user, status };
    case 'disable':
    case 'enable':
      return { ...user, spec: { ...user.spec, disabled: act === 'disable' } };
    case 'take':
      return { ...user, status: { ...user.status, username: user.metadata.name } };
    case 'deleting':
      return { ...user, metadata: { ...user.metadata, deletionTimestamp: '2030-01-01T01:00:00Z' } };
    default:
      return user;
  }
}

/** The rule in other words: those that are signed in, and of the others the older ones. */
function counted(users: readonly User[], user: User): number {
  return users.filter(
    (other) =>
      other.metadata.uid !== user.metadata.uid &&
      wantsSeat(other) &&
      (isSeated(other) || isOlder(other, user)),
  ).length;
}

test('who comes before whom is what counting everybody anew says, after every change', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (events, most) => {
      const store = new Store<CachedUser>();
      const seats = seating(store);
      store.replace([], '0');
      let version = 0;
      for (const { name, act } of events) {
        version += 1;
        const before = [...store.values()].map(({ user }) => user);
        const known = store.get(name);
        if (act === 'create' ? known : !known) continue;
        const user = known ? after(known.user, act) : made(name, version);
        const cached = { name, uid: user.metadata.uid, resourceVersion: String(version), user };
        store.applyEvent(act === 'delete' ? 'DELETED' : 'MODIFIED', cached);

        const now = [...store.values()].map((one) => one.user);
        for (const one of now) expect(seats.ahead(one)).toBe(counted(now, one));
        // Whoever is not signed in and has a seat now, or has none any more, is told to look again.
        const waiting = (all: readonly User[], one: User) =>
          all.some(({ metadata }) => metadata.uid === one.metadata.uid) && counted(all, one) >= most;
        const changed = now
          .filter((one) => one.metadata.name !== name && wantsSeat(one) && !isSeated(one))
          .filter((one) => waiting(before, one) !== waiting(now, one));
        for (const one of changed) expect(seats.atTheEdge(most)).toContain(one.metadata.name);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a sign-in of somebody who has a seat takes nobody else’s: two at once, on two replicas, need not meet', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), fc.integer({ min: 1, max: 6 }), (events, most) => {
      const store = new Store<CachedUser>();
      const seats = seating(store);
      let version = 0;
      for (const { name, act } of events) {
        version += 1;
        const known = store.get(name)?.user;
        if (act === 'delete' || (act === 'signIn' && known && seats.ahead(known) >= most)) continue;
        const user = known ? after(known, act) : made(name, version);
        store.merge({ name, uid: user.metadata.uid, resourceVersion: String(version), user });
      }
      const all = [...store.values()].map(({ user }) => user);
      const seated = all.filter((user) => wantsSeat(user) && isSeated(user));
      const free = all.filter((user) => wantsSeat(user) && !isSeated(user) && seats.ahead(user) < most);
      // All that may sign in do, none of them knowing of another.
      expect(seated.length + free.length).toBeLessThanOrEqual(Math.max(most, seated.length));
    }),
    { numRuns: 2_000 },
  );
});
