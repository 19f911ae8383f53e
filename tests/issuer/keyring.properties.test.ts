// Whatever happens to the keys, in whatever order: a token that was not withdrawn verifies until it has expired.
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { publicJwks } from '../../src/issuer/discovery.ts';
import { generateKeyPair, type KeyPair } from '../../src/issuer/key-pair.ts';
import { parseKeyring, serialiseKeyring } from '../../src/issuer/keyring-document.ts';
import {
  kept,
  KeyringError,
  LONGEST_TTL_MS,
  MAX_RETIRED,
  newKeyring,
  PUBLISH_FIRST_MS,
  rotate,
  type Keyring,
} from '../../src/issuer/keyring.ts';
import { signer } from '../../src/issuer/signer.ts';
import { ADA, NOW } from './samples.ts';

const ISSUER = 'https://latchkey.example.com';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Beyond this nothing is minted. */
const SKEW_MS = 5_000;
/** A stalled watch is noticed within this. */
const LAG_MS = 2 * MINUTE_MS;
/** What verifiers usually forgive. */
const LEEWAY_MS = MINUTE_MS;

const skewMs = fc.integer({ min: -SKEW_MS, max: SKEW_MS });
const step = fc.oneof(
  fc.record({
    do: fc.constant('wait' as const),
    ms: fc.oneof(
      fc.constantFrom(MINUTE_MS, PUBLISH_FIRST_MS, PUBLISH_FIRST_MS + MINUTE_MS, LONGEST_TTL_MS),
      fc.integer({ min: 0, max: 3 * LONGEST_TTL_MS }),
    ),
  }),
  fc.record({ do: fc.constant('rotate' as const), skewMs }),
  fc.record({
    do: fc.constant('keep' as const),
    skewMs,
    intervalMs: fc.integer({ min: 1, max: 48 * HOUR_MS }),
  }),
  fc.record({
    do: fc.constant('sign' as const),
    skewMs,
    lagMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: LAG_MS })),
    ttlMs: fc.oneof(fc.constant(LONGEST_TTL_MS), fc.integer({ min: MINUTE_MS, max: LONGEST_TTL_MS })),
  }),
  { weight: 1, arbitrary: fc.record({ do: fc.constant('withdraw' as const), skewMs }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Token {
  readonly token: string;
  readonly kid: string;
  readonly expiresAt: Date;
}

/** The Secret with its history, the tokens that are out, and what verifiers have had the chance to see. */
class World {
  now = NOW.getTime();
  keyring: Keyring;
  readonly history: { readonly since: number; readonly keyring: Keyring }[] = [];
  readonly publishedSince = new Map<string, number>();
  /** Signed at once although nobody could know them: the first keys after a start or a withdrawal. */
  readonly unannounced = new Set<string>();
  readonly withdrawn = new Set<string>();
  tokens: Token[] = [];

  constructor(active: KeyPair, next: KeyPair) {
    this.keyring = this.write(newKeyring(active, next, NOW));
    this.unannounced.add(active.kid);
  }

  write(keyring: Keyring): Keyring {
    this.keyring = parseKeyring(serialiseKeyring(keyring));
    this.history.push({ since: this.now, keyring: this.keyring });
    for (const { kid } of publicJwks(keyring).keys)
      if (!this.publishedSince.has(kid)) this.publishedSince.set(kid, this.now);
    return this.keyring;
  }

  knownBy(lagMs: number): Keyring {
    return this.history.findLast(({ since }) => since <= this.now - lagMs)?.keyring ?? this.keyring;
  }

  async run(action: Step): Promise<void> {
    if (action.do === 'wait') {
      this.now += action.ms;
      return;
    }
    const clock = new Date(this.now + action.skewMs);
    switch (action.do) {
      case 'rotate':
        try {
          this.write(rotate(this.keyring, await generateKeyPair(), clock));
        } catch (error) {
          if (!(error instanceof KeyringError)) throw error;
        }
        return;
      case 'keep':
        this.write(kept(this.keyring, await generateKeyPair(), clock, action.intervalMs));
        return;
      case 'withdraw': {
        for (const kid of this.publishedSince.keys()) this.withdrawn.add(kid);
        const active = await generateKeyPair();
        this.unannounced.add(active.kid);
        this.write(newKeyring(active, await generateKeyPair(), clock));
        return;
      }
      case 'sign': {
        const known = this.knownBy(action.lagMs);
        this.tokens.push(await signer(() => known, ISSUER).sign(ADA, action.ttlMs, clock));
        this.expectAnnounced(known.active.kid);
        return;
      }
      default:
        action satisfies never;
    }
  }

  expectAnnounced(kid: string): void {
    if (this.unannounced.has(kid)) return;
    const publishedMs = this.now - (this.publishedSince.get(kid) ?? this.now);
    expect(publishedMs).toBeGreaterThanOrEqual(PUBLISH_FIRST_MS - 2 * SKEW_MS);
  }

  async expectTokensVerify(): Promise<void> {
    this.tokens = this.tokens.filter(({ expiresAt }) => this.now <= expiresAt.getTime() + LEEWAY_MS);
    const jwks = createLocalJWKSet(publicJwks(this.keyring));
    for (const { token, kid } of this.tokens) {
      const verified = jwtVerify(token, jwks, {
        issuer: ISSUER,
        currentDate: new Date(this.now),
        clockTolerance: (LEEWAY_MS + SKEW_MS) / 1_000,
      });
      if (this.withdrawn.has(kid))
        await expect(verified).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
      else await expect(verified).resolves.toMatchObject({ payload: { sub: ADA.sub } });
    }
  }
}

describe('the keyring over any history', () => {
  it('verifies every token until it expires, announces every key, and stays bounded', async () => {
    let signed = 0;
    let retired = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }), async (steps) => {
        const world = new World(await generateKeyPair(), await generateKeyPair());
        for (const action of steps) {
          await world.run(action);
          await world.expectTokensVerify();
          signed = Math.max(signed, world.tokens.length);
          retired = Math.max(retired, world.keyring.retired.length);
          expect(world.keyring.retired.length).toBeLessThanOrEqual(MAX_RETIRED);
        }
      }),
      { numRuns: 150 },
    );
    // The histories were worth something only if tokens and retired keys met.
    expect(signed).toBeGreaterThan(3);
    expect(retired).toBeGreaterThan(1);
  });
});
