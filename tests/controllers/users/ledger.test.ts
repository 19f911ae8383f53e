// What this process remembers of the Secrets that it wrote, and what it must not believe of others.
import { describe, expect, test } from '@jest/globals';
import { ledger } from '../../../src/controllers/users/ledger.ts';
import { NOW } from '../../domain/pictures.ts';
import { cachedSecret as secret } from './cached-secret.ts';

const TOKEN = { token: { expiresAt: NOW, session: 'session-1', claims: 'digest', kid: 'key-1' } };

describe('what was written', () => {
  test('counts for exactly the version that came back', () => {
    const written = ledger();
    written.record(secret(), TOKEN, 'number-1');
    expect(written.written(secret())).toEqual(TOKEN);
    expect(written.written(secret({ resourceVersion: '8' }))).toBeUndefined();
    expect(written.written(secret({ uid: 'another' }))).toBeUndefined();
  });
});

describe('the token that a Secret holds', () => {
  test('is known by its number, even where somebody has edited the Secret since', () => {
    const written = ledger();
    written.record(secret(), TOKEN, 'number-1');
    expect(written.held(secret({ resourceVersion: '8' }))).toEqual({ jti: 'number-1' });
  });

  test('is the last one that was written', () => {
    const written = ledger();
    written.record(secret(), TOKEN, 'number-1');
    written.record(secret({ resourceVersion: '8' }), TOKEN, 'number-2');
    expect(written.held(secret())).toEqual({ jti: 'number-2' });
    written.record(secret({ resourceVersion: '9' }), { reason: 'SwitchedOff' });
    expect(written.held(secret({ claimedExpiry: 1 }))).toBeUndefined();
  });

  test('of another process has no number', () => {
    expect(ledger().held(secret({ claimedExpiry: 1 }))).toEqual({ jti: undefined });
    expect(ledger().held(secret())).toBeUndefined();
  });

  test('is forgotten with its Secret', () => {
    const written = ledger();
    written.record(secret(), TOKEN, 'number-1');
    written.forget('uid-secret');
    expect(written.held(secret())).toBeUndefined();
  });
});

describe('what the annotations claim', () => {
  const CLAIMS = { claimedExpiry: 9_000, claimedSession: 'session-1', claimedDigest: 'digest' };
  const claimed = { expiresAt: new Date(9_000), session: 'session-1', claims: 'digest' };

  test('is believed of a Secret that this process has not written', () => {
    expect(ledger().claimed(secret(CLAIMS))).toEqual(claimed);
    for (const missing of Object.keys(CLAIMS))
      expect(ledger().claimed(secret({ ...CLAIMS, [missing]: undefined }))).toBeUndefined();
  });

  test('is not believed once somebody has edited what this process wrote', () => {
    const written = ledger();
    written.record(secret(), TOKEN, 'number-1');
    expect(written.claimed(secret({ ...CLAIMS, resourceVersion: '8' }))).toBeUndefined();
  });

  test('is believed where it may be what was written, and the answer was lost', () => {
    const written = ledger();
    written.record(secret(), TOKEN, 'number-1');
    written.lost(secret(), new Date(9_000));
    written.lost(secret(), new Date(10_000));
    expect(written.claimed(secret({ ...CLAIMS, resourceVersion: '8' }))).toEqual(claimed);
    expect(written.claimed(secret({ ...CLAIMS, claimedExpiry: 8_000 }))).toBeUndefined();
    written.record(secret({ resourceVersion: '9' }), TOKEN, 'number-3');
    expect(written.claimed(secret({ ...CLAIMS, resourceVersion: '10' }))).toBeUndefined();
  });

  test('is remembered of a few lost answers only', () => {
    const written = ledger();
    written.record(secret(), TOKEN, 'number-1');
    for (let n = 1; n <= 100; n++) written.lost(secret(), new Date(n * 1_000));
    expect(written.claimed(secret({ ...CLAIMS, claimedExpiry: 96_000 }))).toBeUndefined();
    expect(written.claimed(secret({ ...CLAIMS, claimedExpiry: 97_000 }))).toBeDefined();
  });
});
