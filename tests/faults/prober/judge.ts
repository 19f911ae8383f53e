// Says of one reading of one Secret which promise it breaks, if any. Pure but for what it remembers of versions that were read.
import { decodeJwt } from 'jose';
import { isDeepStrictEqual } from 'node:util';
import type { Journal, Person, SessionRecord } from './journal.ts';
import type { OutageKind } from './timeline.ts';

export interface Reading {
  readonly namespace: string;
  /** Of the Secret; where there is none, of the list that it is not on. */
  readonly version: number;
  readonly token: string | undefined;
  readonly keys: readonly string[];
  /** When it was asked for, and when the answer had come (ms since 1970): in between it was so. */
  readonly sent: number;
  readonly received: number;
  /** A watch tells of every version, and not when it was so. */
  readonly by: 'List' | 'Get' | 'Watch';
}

export type ViolationKind =
  | 'TooLong'
  | 'TooShort'
  | 'NotSignedIn'
  | 'Missing'
  | 'Lingers'
  | 'BackAgain'
  | 'MintedTooLate'
  | 'SomebodyElse'
  | 'Forged'
  | 'MoreThanAToken'
  | 'UnknownKey'
  | 'Unreadable';

export interface Violation {
  readonly kind: ViolationKind;
  readonly namespace: string;
  /** What was found; never the token itself. */
  readonly what: string;
  readonly at: string;
}

export interface Life {
  readonly ttlMs: number;
  readonly minRemainingMs: number;
}

/** The last quarter of `ttl - minRemaining` is there for a leader to write in (src/domain/refresh.ts). */
const MARGIN_SHARE = 0.25;
/** A token that cannot be replaced goes so long before its floor (src/domain/refresh.ts). */
const FLOOR_AHEAD_MS = 5_000;
/** "A leader mints only on caches proven younger than 5 s." The claim iat has a grain of a second. */
const STALEST_MINT_MS = 5_000 + 1_000;

const NO_WRITES: readonly OutageKind[] = ['NoLeader', 'NoApiServer', 'TooSlow'];
const NO_MINTING: readonly OutageKind[] = [...NO_WRITES, 'Unmintable'];

/**
 * A live leader could write "within the refresh margin" where it had half of that margin in one piece: what is wrong
 * then is its fault. It has as long to bring a token, to take one away and to put right what somebody has broken.
 */
export function boundMs({ ttlMs, minRemainingMs }: Life): number {
  return ((ttlMs - minRemainingMs) * MARGIN_SHARE) / 2;
}

export class Judge {
  readonly #journal: Journal;
  readonly #life: Life;
  readonly #boundMs: number;

  constructor(journal: Journal, life: Life) {
    this.#journal = journal;
    this.#life = life;
    this.#boundMs = boundMs(life);
  }

  judge(reading: Reading): Violation[] {
    const { namespace, token, by, received } = reading;
    const person = this.#journal.find(namespace);
    const found: Violation[] = [];
    const violation = (kind: ViolationKind, what: string) => {
      found.push({ kind, namespace, what: `${what} (${by})`, at: new Date(received).toISOString() });
    };
    if (token === undefined) {
      if (person) this.#judgeAbsence(person, reading, violation);
      return found;
    }
    if (!person) {
      violation('NotSignedIn', 'a key in the namespace of nobody');
      return found;
    }
    if (!isDeepStrictEqual(reading.keys, ['AUTH_TOKEN']) && !this.#wasJustDisturbed(person, reading))
      violation('MoreThanAToken', `the keys are ${reading.keys.join()}`);
    const claims = read(token);
    if (!claims) {
      if (!this.#wasJustDisturbed(person, reading)) violation('Forged', 'what the key holds is no token');
      return found;
    }
    this.#judgeLife(claims, reading, violation);
    // What somebody has put there may be anybody's, until there was time to put it right.
    if (!this.#wasJustDisturbed(person, reading)) this.#judgeOwner(person, claims, reading, violation);
    return found;
  }

  #judgeAbsence(person: Person, reading: Reading, violation: Found): void {
    const { by, version, sent } = reading;
    if (by === 'Watch') return;
    confirmGone(person, reading, version);
    if (!person.current) return;
    const since = Math.max(person.current.since, person.disturbedAt);
    const ableMs = this.#journal.timeline.ableUntil(since, sent, NO_MINTING);
    if (ableMs >= this.#boundMs)
      violation('Missing', `no key for ${ableMs} ms in which a live leader could have written one`);
  }

  #judgeLife({ exp, jti }: Claims, { by, sent, received }: Reading, violation: Found): void {
    const { ttlMs, minRemainingMs } = this.#life;
    // The last moment at which it can have been read is the one that says least against it; for the other rule, the first.
    const mostMs = exp * 1_000 - received;
    if (mostMs > ttlMs) violation('TooLong', `${mostMs} ms to live, jti ${jti}`);
    const leastMs = exp * 1_000 - sent;
    if (by === 'Watch' || leastMs >= minRemainingMs) return;
    const floor = exp * 1_000 - minRemainingMs;
    const marginBegan = floor - 2 * this.#boundMs;
    const replaceMs = this.#able(marginBegan, sent, NO_MINTING);
    // Who may mint nothing can only take it away, in the last moments before the floor.
    const goesAt = floor - FLOOR_AHEAD_MS;
    const mintableFrom = sent - this.#journal.timeline.ableUntil(marginBegan, sent, ['Unmintable']);
    const takeAwayMs = this.#able(goesAt, Math.max(goesAt, mintableFrom), NO_WRITES);
    if (replaceMs >= this.#boundMs || takeAwayMs >= FLOOR_AHEAD_MS)
      violation(
        'TooShort',
        `${leastMs} ms to live, although a leader could replace it for ${replaceMs} ms, and take it away for ${takeAwayMs} ms, jti ${jti}`,
      );
  }

  #judgeOwner(person: Person, claims: Claims, reading: Reading, violation: Found): void {
    const { sub, sid, iat, jti } = claims;
    const { by, sent, version } = reading;
    if (sub !== person.uid) violation('SomebodyElse', `sub is ${sub}, and the User is ${person.uid}`);
    const session = person.sessions.get(sid);
    if (!session) {
      if (person.signingIn) return;
      if (person.sessions.size === 0) violation('NotSignedIn', `a key for ${person.name}, jti ${jti}`);
      else violation('SomebodyElse', `sid ${sid} was never a session of ${person.name}`);
      return;
    }
    session.isSeen = true;
    if (by !== 'Watch') confirmGone(person, reading, version, session);
    if (session.endedAt === undefined) return;
    if (session.goneVersion !== undefined && version > session.goneVersion)
      violation(
        'BackAgain',
        `version ${version} has the key of session ${sid}, gone in ${session.goneVersion}`,
      );
    if (iat * 1_000 > session.endedAt + STALEST_MINT_MS)
      violation('MintedTooLate', `minted ${iat * 1_000 - session.endedAt} ms after session ${sid} had ended`);
    const ableMs = this.#able(session.endedAt, sent, NO_WRITES);
    if (by !== 'Watch' && ableMs >= this.#boundMs)
      violation('Lingers', `${sent - session.endedAt} ms after session ${sid} had ended`);
  }

  /** A person may not be able to read the Secret for as long as it takes to put right what somebody has broken. */
  judgeRefusal(name: string, sent: number): Violation[] {
    const person = this.#journal.find(name);
    if (!person?.current) return [];
    const ableMs = this.#able(Math.max(person.current.since, person.disturbedAt), sent, NO_WRITES);
    if (ableMs < this.#boundMs) return [];
    const what = `refused to its own user, although a leader could write for ${ableMs} ms`;
    return [{ kind: 'Unreadable', namespace: name, what, at: new Date(sent).toISOString() }];
  }

  #able(from: number, to: number, kinds: readonly OutageKind[]): number {
    return this.#journal.timeline.longestAble(from, to, kinds);
  }

  #wasJustDisturbed({ disturbedAt }: Person, { sent }: Reading): boolean {
    return disturbedAt > 0 && this.#able(disturbedAt, sent, NO_MINTING) < this.#boundMs;
  }
}

type Found = (kind: ViolationKind, what: string) => void;

interface Claims {
  readonly sub: string;
  readonly sid: string;
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
}

function read(token: string): Claims | undefined {
  try {
    const { sub, sid, jti, iat, exp } = decodeJwt(token);
    const whole = typeof sub === 'string' && typeof sid === 'string' && typeof jti === 'string';
    return whole && iat !== undefined && exp !== undefined ? { sub, sid, jti, iat, exp } : undefined;
  } catch {
    return undefined;
  }
}

/** What is read after a session has ended, without its token, is the proof that the token is gone. */
/** A token that nobody has read yet may still be written, by a leader whose cache is a few seconds old. */
function confirmGone(person: Person, { sent }: Reading, version: number, held?: SessionRecord): void {
  for (const session of person.sessions.values()) {
    if (session !== held && session.isSeen && session.endedAt !== undefined && session.endedAt <= sent)
      session.goneVersion ??= version;
  }
}
