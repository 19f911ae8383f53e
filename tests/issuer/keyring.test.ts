// How keys take turns, by example.
import { describe, expect, it } from '@jest/globals';
import { generateKeyPair } from '../../src/issuer/key-pair.ts';
import {
  kept,
  LONGEST_TTL_MS,
  MAX_RETIRED,
  newKeyring,
  nextChangeAt,
  prune,
  PUBLISH_FIRST_MS,
  publishedKeys,
  RETIRED_MARGIN_MS,
  rotate,
  rotationDueAt,
  rotationPossibleAt,
} from '../../src/issuer/keyring.ts';
import { NOW, sampleKeyring } from './samples.ts';

const DAY_MS = 24 * 3_600_000;
const RETIRED_MS = LONGEST_TTL_MS + RETIRED_MARGIN_MS;
const after = (ms: number, from: Date = NOW) => new Date(from.getTime() + ms);

describe('a rotation', () => {
  it('lets the published next key sign, publishes a fresh one and retires the active one', async () => {
    const before = await sampleKeyring();
    const fresh = await generateKeyPair();
    const now = after(PUBLISH_FIRST_MS);
    const keyring = rotate(before, fresh, now);
    expect(keyring.active).toEqual(before.next);
    expect(keyring.next).toEqual({ ...fresh, createdAt: now });
    expect(keyring.retired).toEqual([
      {
        kid: before.active.kid,
        publicJwk: before.active.publicJwk,
        createdAt: NOW,
        until: after(RETIRED_MS, now),
      },
    ]);
  });

  it('forgets the private part of the key that it retires', async () => {
    const keyring = rotate(await sampleKeyring(), await generateKeyPair(), after(PUBLISH_FIRST_MS));
    expect(keyring.retired[0]).not.toHaveProperty('privateKey');
  });

  it('is refused before the next key was published for two hours, and says when it is possible', async () => {
    const keyring = await sampleKeyring();
    const fresh = await generateKeyPair();
    const tooEarly = () => rotate(keyring, fresh, after(PUBLISH_FIRST_MS - 1));
    expect(tooEarly).toThrow(expect.objectContaining({ code: 'RotationTooEarly' }));
    expect(tooEarly).toThrow('2026-03-01T12:00:00.700Z');
    expect(tooEarly).toThrow('latchkey revoke --all');
  });

  it('is refused while the clock stands before the time at which the next key was made', async () => {
    const keyring = await sampleKeyring();
    const fresh = await generateKeyPair();
    expect(() => rotate(keyring, fresh, after(-1))).toThrow(
      expect.objectContaining({ code: 'RotationTooEarly' }),
    );
  });

  it('as often as possible never retires more keys than a document may hold', async () => {
    let keyring = await sampleKeyring();
    let most = 0;
    for (let turn = 1; turn <= 2 * MAX_RETIRED; turn++) {
      keyring = rotate(keyring, await generateKeyPair(), after(turn * PUBLISH_FIRST_MS));
      most = Math.max(most, keyring.retired.length);
    }
    expect(most).toBe(MAX_RETIRED);
  });

  it('is refused while there is no room for another retired key', async () => {
    const { active, ...rest } = await sampleKeyring();
    const until = after(10 * DAY_MS);
    const retired = Array.from({ length: MAX_RETIRED }, () => ({ ...active, until }));
    const full = { ...rest, active, retired };
    const fresh = await generateKeyPair();
    expect(rotationPossibleAt(full)).toEqual(until);
    expect(() => rotate(full, fresh, after(DAY_MS))).toThrow(until.toISOString());
    expect(rotate(full, fresh, until).retired).toHaveLength(1);
  });
});

describe('pruning', () => {
  it('drops a retired key when the last token of it has expired, and not before', async () => {
    const now = after(PUBLISH_FIRST_MS);
    const keyring = rotate(await sampleKeyring(), await generateKeyPair(), now);
    expect(prune(keyring, after(RETIRED_MS - 1, now))).toBe(keyring);
    expect(prune(keyring, after(RETIRED_MS, now)).retired).toEqual([]);
  });
});

describe('the schedule', () => {
  it('wants a rotation when the active key has signed for an interval', async () => {
    const keyring = await sampleKeyring();
    expect(rotationDueAt(keyring, 30 * DAY_MS)).toEqual(after(30 * DAY_MS));
    const rotated = rotate(keyring, await generateKeyPair(), after(7 * DAY_MS));
    expect(rotationDueAt(rotated, 30 * DAY_MS)).toEqual(after(37 * DAY_MS));
  });

  it('never wants one before it is possible, however short the interval', async () => {
    const keyring = await sampleKeyring();
    expect(rotationDueAt(keyring, 1_000)).toEqual(rotationPossibleAt(keyring));
  });

  it('leaves the keyring as it is until something is due', async () => {
    const keyring = await sampleKeyring();
    const fresh = await generateKeyPair();
    expect(kept(keyring, fresh, after(30 * DAY_MS - 1), 30 * DAY_MS)).toBe(keyring);
    expect(kept(keyring, fresh, after(30 * DAY_MS), 30 * DAY_MS).next.kid).toBe(fresh.kid);
  });

  it('looks again when a retired key can go, and then drops it', async () => {
    const keyring = rotate(await sampleKeyring(), await generateKeyPair(), after(PUBLISH_FIRST_MS));
    const at = nextChangeAt(keyring, 30 * DAY_MS);
    expect(at).toEqual(keyring.retired[0]?.until);
    const pruned = kept(keyring, await generateKeyPair(), at, 30 * DAY_MS);
    expect(pruned).toEqual({ ...keyring, retired: [] });
    expect(nextChangeAt(pruned, 30 * DAY_MS)).toEqual(after(30 * DAY_MS + PUBLISH_FIRST_MS));
  });
});

describe('a new keyring', () => {
  it('publishes no key of an earlier one', async () => {
    const before = rotate(await sampleKeyring(), await generateKeyPair(), after(PUBLISH_FIRST_MS));
    const withdrawn = newKeyring(await generateKeyPair(), await generateKeyPair(), after(DAY_MS));
    const old = new Set(publishedKeys(before).map(({ kid }) => kid));
    expect(publishedKeys(withdrawn).filter(({ kid }) => old.has(kid))).toEqual([]);
    expect(publishedKeys(withdrawn)).toHaveLength(2);
  });
});
