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
