// Checks of every token that was seen, once, that a key which the JWKS publishes has signed it.
import { compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose';

export interface PublishedKeys {
  /** Reads the JWKS from a replica that runs; undefined while none answers. */
  (): Promise<readonly JWK[] | undefined>;
}

interface Unverified {
  readonly namespace: string;
  readonly token: string;
  readonly readAt: number;
}

/** Only so many tokens are remembered as verified; one that is met again is verified again. */
const MOST_REMEMBERED = 20_000;

export class Signatures {
  readonly #published: PublishedKeys;
  #verified = new Set<string>();
  #waiting = new Map<string, Unverified>();
  #keys = new Map<string, Awaited<ReturnType<typeof importJWK>>>();
  #readAt = 0;

  constructor(published: PublishedKeys) {
    this.#published = published;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  seen(namespace: string, token: string, readAt: number): void {
    if (this.#verified.has(token) || this.#waiting.has(token)) return;
    this.#waiting.set(token, { namespace, token, readAt });
  }

  /**
   * Verifies what waits, as far as a replica can be asked for its keys.
   * @param wrong told of each token that no key published after it was read has signed
   */
  async settle(wrong: (namespace: string, what: string) => void): Promise<void> {
    for (const unverified of this.#waiting.values()) {
      const { namespace, token, readAt } = unverified;
      const { kid = '' } = decodeProtectedHeader(token);
      if (!this.#keys.has(kid) && this.#readAt <= readAt && !(await this.#read())) return;
      const key = this.#keys.get(kid);
      if (!key) wrong(namespace, `signed by the key ${kid}, which the JWKS does not publish`);
      else {
        await compactVerify(token, key, { algorithms: ['ES256'] }).catch(() =>
          wrong(namespace, `the signature is not of the key ${kid}`),
        );
      }
      this.#waiting.delete(token);
      if (this.#verified.size >= MOST_REMEMBERED) this.#verified.clear();
      this.#verified.add(token);
    }
  }

  async #read(): Promise<boolean> {
    const asked = Date.now();
    const jwks = await this.#published();
    if (!jwks) return false;
    this.#keys = new Map(
      await Promise.all(jwks.map(async (jwk) => [jwk.kid ?? '', await importJWK(jwk, 'ES256')] as const)),
    );
    this.#readAt = asked;
    return true;
  }
}
