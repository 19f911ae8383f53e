// Remembers which signatures were good: who asks about one token again and again pays for one check of it.
import { hash, type KeyObject } from 'node:crypto';

interface Entry<Claims> {
  readonly kid: string;
  readonly key: KeyObject;
  readonly claims: Claims;
}

/** What a token is remembered by. */
export const digestOf = (token: string): string => hash('sha256', token, 'base64url');

/**
 * Holds SHA-256 digests and what the tokens say, never a token. Only what was signed by us gets in, so no stranger can
 * push anybody out; of too many the one goes that was asked about longest ago.
 */
export class VerifiedTokens<Claims> {
  readonly #most: number;
  readonly #entries = new Map<string, Entry<Claims>>();

  /** @param most tokens; each takes about a kilobyte */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * @param digest of the token
   * @param keys those that count now: what another key has signed is not known any more
   */
  find(digest: string, keys: ReadonlyMap<string, KeyObject>): Claims | undefined {
    const entry = this.#entries.get(digest);
    if (!entry) return undefined;
    this.#entries.delete(digest);
    if (keys.get(entry.kid) !== entry.key) return undefined;
    this.#entries.set(digest, entry);
    return entry.claims;
  }

  add(digest: string, entry: Entry<Claims>): void {
    this.#entries.set(digest, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#most && oldest !== undefined) this.#entries.delete(oldest);
  }
}
