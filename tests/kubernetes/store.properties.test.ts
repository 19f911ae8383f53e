// Whatever order the world tells things in, a store ends where the API server is, and never shows what has been deleted.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Store, type Stored } from '../../src/kubernetes/store.ts';

interface HistoryEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: Stored;
}

/** What happened at the API server to a few names: the versions rise, with gaps, as other resources share them. */
const histories = fc
  .array(
    fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      deletes: fc.boolean(),
      gap: fc.integer({ min: 1, max: 3 }),
    }),
    {
      minLength: 1,
      maxLength: 30,
    },
  )
  .map((steps) => {
    const live = new Map<string, string>();
    let version = 0;
    return steps.map(({ name, deletes, gap }): HistoryEvent => {
      version += gap;
      const uid = live.get(name);
      const type = uid === undefined ? 'ADDED' : deletes ? 'DELETED' : 'MODIFIED';
      const now = uid ?? `${name} of ${version}`;
      if (type === 'DELETED') live.delete(name);
      else live.set(name, now);
      return { type, object: { name, uid: now, resourceVersion: String(version) } };
    });
  });

/** What there was at that version. */
function truth(history: readonly HistoryEvent[], resourceVersion: number): Map<string, Stored> {
  const live = new Map<string, Stored>();
  for (const { type, object } of history) {
    if (Number(object.resourceVersion) > resourceVersion) break;
    if (type === 'DELETED') live.delete(object.name);
    else live.set(object.name, object);
  }
  return live;
}

const steps = fc.array(
  fc.record({
    what: fc.constantFrom('event', 'event', 'event', 'bookmark', 'merge', 'ask', 'list', 'restart'),
    stream: fc.constantFrom(0, 1),
    at: fc.nat(),
  }),
  { maxLength: 100 },
);

test('any interleaving of two streams, lists and answers to writes converges to the truth, without a ghost', () => {
  fc.assert(
    fc.property(histories, fc.nat(), steps, (history, first, order) => {
      const end = Number(history.at(-1)?.object.resourceVersion);
      const store = new Store<Stored>();
      const seen = new Map<string, Stored>();
      store.onChange((before, after) => {
        expect(before).toBe(seen.get((before ?? after)?.name ?? ''));
        if (after) seen.set(after.name, after);
        else seen.delete(before?.name ?? '');
      });
      const list = (version: number, askedAt?: string) =>
        store.replace([...truth(history, version).values()], String(version), askedAt);
      const reached = () => Number(store.resourceVersion);
      /** Where each stream goes on; it begins where the store stands. */
      const next = [0, 0];
      const restart = (stream: number) => {
        const index = history.findIndex(({ object }) => Number(object.resourceVersion) > reached());
        next[stream] = index < 0 ? history.length : index;
      };
      const tell = (stream: number) => {
        const event = history[next[stream] ?? 0];
        if (!event) return;
        next[stream] = (next[stream] ?? 0) + 1;
        store.applyEvent(event.type, event.object);
      };
      let asked: { version: number; askedAt: string | undefined } | undefined;

      const check = () => {
        expect(new Map([...store.values()].map((object) => [object.name, object]))).toEqual(seen);
        const then = truth(history, reached());
        for (const name of ['a', 'b', 'c']) {
          const known = store.get(name);
          // Either what there was where the store stands, or the answer to a write after that.
          if (!known || Number(known.resourceVersion) <= reached()) expect(known).toEqual(then.get(name));
        }
      };

      list(first % (end + 1));
      restart(0);
      restart(1);
      for (const { what, stream, at } of order) {
        const before = reached();
        const event = history[at % history.length];
        if (what === 'event') tell(stream);
        else if (what === 'restart') restart(stream);
        else if (what === 'merge' && event && event.type !== 'DELETED') store.merge(event.object);
        // A list is made at some moment after it was asked for, and arrives later still.
        else if (what === 'ask')
          asked = { version: before + (at % (end - before + 1)), askedAt: store.resourceVersion };
        else if (what === 'list' && asked) {
          list(asked.version, asked.askedAt);
          asked = undefined;
        } else if (what === 'bookmark') {
          // It is told when everything before it has been told on that stream.
          const upcoming = history[next[stream] ?? 0];
          const until = upcoming ? Number(upcoming.object.resourceVersion) - 1 : end;
          store.bookmark(String(until));
        }
        expect(reached()).toBeGreaterThanOrEqual(before);
        check();
      }
      while ((next[0] ?? 0) < history.length) tell(0);
      while ((next[1] ?? 0) < history.length) tell(1);
      check();
      expect(reached()).toBe(end);
      expect(new Map([...store.values()].map((object) => [object.name, object]))).toEqual(
        truth(history, end),
      );
    }),
    { numRuns: 2_000 },
  );
});
