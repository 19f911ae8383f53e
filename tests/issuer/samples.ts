// Claims and keyrings to test with.
import type { IdentityClaims } from '../../src/domain/claims.ts';
import { generateKeyPair } from '../../src/issuer/key-pair.ts';
import { newKeyring, type Keyring } from '../../src/issuer/keyring.ts';

export const NOW = new Date('2026-03-01T10:00:00.700Z');

export const ADA: IdentityClaims = {
  sub: '5a3f1f1e-3b0a-4a53-9a52-0c6c1a8b7f11',
  aud: ['latchkey'],
  sid: 'b1Vw1mJxw0yZ6m1x2Q9d3A',
  preferred_username: 'ada',
  email: 'ada@example.com',
  name: 'Ada Lovelace',
  groups: ['analytics'],
  role: 'member',
  'latchkey.dev/namespace': 'ada',
};

export async function sampleKeyring(now: Date = NOW): Promise<Keyring> {
  return newKeyring(await generateKeyPair(), await generateKeyPair(), now);
}
