// From the moment a token should be refused until a verifier refuses it: each is asked all the time.
import { setTimeout as delay } from 'node:timers/promises';
import type { Ask } from './asking.ts';

/** The default cache of the webhook (2 minutes), the API server's own of 10 s, and time to notice. */
const LONGEST_MS = 200_000;

export interface Question {
  readonly ask: Ask;
  /** By the name of the user. */
  readonly tokens: ReadonlyMap<string, string>;
  readonly askEveryMs: number;
}

/**
 * Takes the access of the users away and returns when, in ms since 1970, by the name of the user. It may ask for that
 * only when everything is over.
 */
export type Revoke = (names: readonly string[]) => Promise<() => ReadonlyMap<string, number>>;

/** Of every question: how long it took for each user, in ms; resolves when the last one is refused. */
export type Pending = readonly Promise<readonly number[]>[];

/**
 * Asks about every token once, so that whoever remembers answers remembers a yes, then revokes, and asks until each is
 * refused. @returns for every question, when the users have been revoked
 */
export async function refusals(revoke: Revoke, questions: readonly Question[]): Promise<Pending> {
  for (const { ask, tokens } of questions) await mustAllBeGood(ask, [...tokens.values()]);
  const began = Date.now();
  const pending = questions.map(({ ask, tokens, askEveryMs }) =>
    Promise.all(
      [...tokens].map(async ([name, token]) => [name, await refusedAt(ask, token, askEveryMs)] as const),
    ),
  );
  // One that fails while nobody waits for it yet is told to whoever waits for it later.
  for (const one of pending) one.catch(() => undefined);
  const names = [...new Set(questions.flatMap(({ tokens }) => [...tokens.keys()]))];
  const times = await revoke(names);
  const results = pending.map(async (all) => {
    const refused = await all;
    const revoked = times();
    return refused.map(([name, at]) => {
      const from = revoked.get(name);
      if (from === undefined || at < began) throw new Error(`${name}: refused before there was a reason`);
      // What another process says of the time may be some milliseconds late.
      return Math.max(0, at - from);
    });
  });
  for (const result of results) result.catch(() => undefined);
  return results;
}

async function mustAllBeGood(ask: Ask, tokens: readonly string[]): Promise<void> {
  const answers = await Promise.all(tokens.map(ask));
  if (!answers.every(Boolean)) throw new Error('a good token was refused');
}

async function refusedAt(ask: Ask, token: string, askEveryMs: number): Promise<number> {
  const until = performance.now() + LONGEST_MS;
  while (await ask(token)) {
    if (performance.now() > until) throw new Error('a revoked token is never refused');
    await delay(askEveryMs);
  }
  return Date.now();
}

export interface Switched {
  /** How long after the switch the last question was asked that was answered with yes; 0 where none was. */
  readonly lastYesMs: number;
  /** How many tokens were asked about from a second after the switch on, each at least once, and answered with yes. */
  readonly acceptedAfterSecond: number;
}

/** Asks about everybody in turn, so many at once, before and after `off`. */
export async function everybodyIsRefused(
  ask: Ask,
  tokens: readonly string[],
  off: Promise<number>,
  atOnce: number,
): Promise<Switched> {
  let switchedAt = Number.POSITIVE_INFINITY;
  const known = off.then((at) => (switchedAt = at));
  const late = new Set<string>();
  const accepted = new Set<string>();
  let lastYes = 0;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (late.size < tokens.length) {
      const token = tokens[next++ % tokens.length] ?? '';
      const asked = Date.now();
      const yes = await ask(token);
      if (yes) lastYes = Math.max(lastYes, asked);
      if (asked <= switchedAt + 1_000) continue;
      late.add(token);
      if (yes) accepted.add(token);
    }
  };
  await Promise.all([known, ...Array.from({ length: atOnce }, worker)]);
  return { lastYesMs: Math.max(0, lastYes - switchedAt), acceptedAfterSecond: accepted.size };
}
