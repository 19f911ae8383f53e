// Ends and begins sessions at random while a scenario runs: every way that takes a token away, and back in.
import { setTimeout as delay } from 'node:timers/promises';
import type { Field } from './field.ts';

const PAUSE_MS = { least: 150, most: 600 };

/** These are left to the scenarios that lay hands on what is theirs. */
export const UNTOUCHED = 32;

/** @throws what `scenario` throws, and what an admin could not do in a minute */
export async function withMischief(field: Field, scenario: () => Promise<void>): Promise<void> {
  const over = new AbortController();
  const ends = await Promise.allSettled([scenario().finally(() => over.abort()), act(field, over.signal)]);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

async function act(field: Field, signal: AbortSignal): Promise<void> {
  const { people, journal, random, names, withPassword } = field;
  const touched = [...withPassword, ...names.slice(withPassword.length + UNTOUCHED)];
  const disabled = new Set<string>();
  while (!signal.aborted) {
    const name = random.pick(random.below(4) === 0 ? withPassword : touched);
    await field.oneAtATime(async () => {
      if (journal.get(name).current) {
        if (random.below(2) === 0) {
          await people.disable(name);
          disabled.add(name);
        } else await people.endSession(name);
        return;
      }
      if (disabled.delete(name)) await people.enable(name);
      if (withPassword.includes(name)) await field.signIn(name);
      else await people.startSession(name);
    });
    const pauseMs = PAUSE_MS.least + random.below(PAUSE_MS.most - PAUSE_MS.least);
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  for (const name of disabled) await people.enable(name);
}
