// Which key signs now, which one is next and which ones are still needed to verify; and how they take turns.
import { LatchkeyError } from '../errors.ts';
import type { KeyPair, PublicJwk } from './key-pair.ts';

const HOUR_MS = 3_600_000;

/** The most that the schema of TokenPolicy allows. Counted whatever the policy says now: it may have said more before. */
export const LONGEST_TTL_MS = 24 * HOUR_MS;

/**
 * How long a key is published before it may sign. Most verifiers read the JWKS again when they meet an unknown `kid`;
 * Istio reads it every 20 minutes and Envoy every 10 instead, and the JWT authorizer of AWS keeps it for two hours.
 */
export const PUBLISH_FIRST_MS = 2 * HOUR_MS;

/**
 * How much longer than its last token a key is published: the signer may learn of a rotation as late as its watch
 * notices that it has stalled (about two minutes), and verifiers let an expired token pass for a minute or so.
 */
export const RETIRED_MARGIN_MS = 5 * 60_000;

/** No more than this can pile up where a key is published first; a document with more was not written here. */
export const MAX_RETIRED = Math.ceil((LONGEST_TTL_MS + RETIRED_MARGIN_MS) / PUBLISH_FIRST_MS);

export interface SigningKey extends KeyPair {
  /** Since when it is published. */
  readonly createdAt: Date;
}

/** The private part is gone: nothing has to be signed with it any more. */
export interface RetiredKey {
  readonly kid: string;
  readonly publicJwk: PublicJwk;
  readonly createdAt: Date;
  /** When the last token that was signed with it has expired. */
  readonly until: Date;
}

export interface Keyring {
  readonly active: SigningKey;
  readonly next: SigningKey;
  /** The oldest first. */
  readonly retired: readonly RetiredKey[];
}

/** `RotationTooEarly`: verifiers may not know the next key yet. `KeyringDamaged`: the Secret cannot be understood. */
export class KeyringError extends LatchkeyError<'RotationTooEarly' | 'KeyringDamaged'> {}

/**
 * The first keyring, and the one after a revocation of everything: nothing is retired, so every token signed before
 * fails at once wherever the JWKS is read again. Its active key could not be published first.
 */
export function newKeyring(active: KeyPair, next: KeyPair, now: Date): Keyring {
  return { active: { ...active, createdAt: now }, next: { ...next, createdAt: now }, retired: [] };
}

/** When the next key may sign at the earliest. */
export function rotationPossibleAt({ next, retired }: Keyring): Date {
  const published = next.createdAt.getTime() + PUBLISH_FIRST_MS;
  const room = retired.length < MAX_RETIRED ? 0 : Math.min(...retired.map(({ until }) => until.getTime()));
  return new Date(Math.max(published, room));
}

/** When a schedule wants a rotation. Active and next changed together, so the next one's age tells of both. */
export function rotationDueAt(keyring: Keyring, intervalMs: number): Date {
  return new Date(
    Math.max(keyring.next.createdAt.getTime() + intervalMs, rotationPossibleAt(keyring).getTime()),
  );
}

/**
 * The next key signs from now on, `fresh` is published, and the active one stays published until every token that it
 * may have signed has expired.
 * @throws {KeyringError} `RotationTooEarly`, and says when it is possible
 */
export function rotate(keyring: Keyring, fresh: KeyPair, now: Date): Keyring {
  const { active, next, retired } = prune(keyring, now);
  const possibleAt = rotationPossibleAt({ active, next, retired });
  if (now < possibleAt)
    throw new KeyringError(
      'RotationTooEarly',
      `The next key may sign from ${possibleAt.toISOString()} on, when every verifier has had the time to read it. ` +
        'If a key has leaked do not wait: end every session and withdraw the keys with "latchkey revoke --all".',
    );
  const { kid, publicJwk, createdAt } = active;
  const until = new Date(now.getTime() + LONGEST_TTL_MS + RETIRED_MARGIN_MS);
  return {
    active: next,
    next: { ...fresh, createdAt: now },
    retired: [...retired, { kid, publicJwk, createdAt, until }],
  };
}

/** Leaves out the retired keys that nothing needs any more; the same keyring where there are none. */
export function prune(keyring: Keyring, now: Date): Keyring {
  const retired = keyring.retired.filter(({ until }) => now < until);
  return retired.length === keyring.retired.length ? keyring : { ...keyring, retired };
}

/** What its schedule makes of the keyring now; the same one where nothing is due. */
export function kept(keyring: Keyring, fresh: KeyPair, now: Date, intervalMs: number): Keyring {
  return now < rotationDueAt(keyring, intervalMs) ? prune(keyring, now) : rotate(keyring, fresh, now);
}

/** When `kept` will have something to do. */
export function nextChangeAt(keyring: Keyring, intervalMs: number): Date {
  const times = [rotationDueAt(keyring, intervalMs), ...keyring.retired.map(({ until }) => until)];
  return new Date(Math.min(...times.map((time) => time.getTime())));
}

/** Every key that verifies a token, the one that signs first. A token of any other key has been withdrawn. */
export function publishedKeys({ active, next, retired }: Keyring): readonly (SigningKey | RetiredKey)[] {
  return [active, next, ...retired];
}
