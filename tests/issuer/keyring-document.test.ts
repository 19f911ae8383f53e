// The keyring in its Secret: what goes in comes out, and damage is named without being quoted.
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { generateKeyPair } from '../../src/issuer/key-pair.ts';
import { parseKeyring, serialiseKeyring } from '../../src/issuer/keyring-document.ts';
import { KeyringError, PUBLISH_FIRST_MS, publishedKeys, rotate } from '../../src/issuer/keyring.ts';
import { NOW, sampleKeyring } from './samples.ts';

const keyring = rotate(
  await sampleKeyring(),
  await generateKeyPair(),
  new Date(NOW.getTime() + PUBLISH_FIRST_MS),
);
const text = textOf(serialiseKeyring(keyring));

function textOf(data: Record<string, string>): string {
  return Buffer.from(data['keyring.json'] ?? '', 'base64').toString('utf8');
}

function dataOf(content: string): Record<string, string> {
  return { 'keyring.json': Buffer.from(content).toString('base64') };
}

interface StoredKey {
  key: Record<string, string>;
  until?: string;
}

/** The document after `change`. */
function damage(
  change: (stored: { active: StoredKey; next?: StoredKey; retired: [StoredKey] }) => void,
): Record<string, string> {
  const stored = JSON.parse(text);
  change(stored);
  return dataOf(JSON.stringify(stored));
}

function refusal(data: Record<string, string> | undefined): KeyringError | undefined {
  try {
    parseKeyring(data);
    return undefined;
  } catch (error) {
    if (error instanceof KeyringError) return error;
    throw error;
  }
}

describe('the document of the keyring', () => {
  it('comes back as it was', () => {
    const back = parseKeyring(serialiseKeyring(keyring));
    expect(serialiseKeyring(back)).toEqual(serialiseKeyring(keyring));
    expect(
      publishedKeys(back).map(({ kid, publicJwk, createdAt }) => ({ kid, publicJwk, createdAt })),
    ).toEqual(publishedKeys(keyring).map(({ kid, publicJwk, createdAt }) => ({ kid, publicJwk, createdAt })));
    expect(back.retired).toEqual(keyring.retired);
  });

  it('holds private parts of the active and the next key only', () => {
    expect(text.match(/"d":/g)).toHaveLength(2);
  });

  it.each([
    ['no data', undefined, 'it has no keyring.json'],
    ['other data', { 'tls.key': 'c2VjcmV0' }, 'it has no keyring.json'],
    ['an empty document', dataOf(''), 'keyring.json is not JSON'],
    ['half a document', dataOf(text.slice(0, 300)), 'keyring.json is not JSON'],
    ['another document', dataOf('[]'), 'keyring.json: invalid_type'],
    ['no next key', damage((stored) => delete stored.next), 'keyring.json.next: invalid_type'],
    [
      'a key cut short',
      damage(({ active }) => (active.key['d'] = active.key['d']!.slice(1))),
      'keyring.json.active.key.d: invalid_format',
    ],
    [
      'a changed name',
      damage(({ active }) => (active.key['kid'] = keyring.next.kid)),
      'keyring.json.active: kid is not the thumbprint of the key',
    ],
    [
      'a changed name of a retired key',
      damage(({ retired }) => (retired[0].key['kid'] = keyring.next.kid)),
      'keyring.json.retired.0: kid is not the thumbprint of the key',
    ],
    [
      'a private part of another key',
      damage(({ active, next }) => (active.key['d'] = next!.key['d']!)),
      'keyring.json.active: the private and the public part do not belong together',
    ],
    [
      'a key twice',
      damage((stored) => (stored.next = stored.active)),
      'keyring.json: the same key is in it twice',
    ],
    [
      'a private part on a retired key',
      damage(({ retired }) => (retired[0].key['d'] = 'A'.repeat(43))),
      'keyring.json.retired.0.key: unrecognized_keys',
    ],
    [
      'a time that is none',
      damage(({ retired }) => (retired[0].until = 'tomorrow')),
      'keyring.json.retired.0.until: invalid_format',
    ],
  ])('with %s is refused, and the error names what is wrong', (_what, data, problem) => {
    const error = refusal(data);
    expect(error?.code).toBe('KeyringDamaged');
    expect(error?.message).toContain(problem);
    expect(error?.message).toContain('delete the Secret');
  });

  it('is never quoted by the error, whatever the damage', () => {
    const parts = [...text.matchAll(/[\w-]{43}/g)].map(([part]) => part);
    const pieces = parts.flatMap((part) => Array.from({ length: 36 }, (_, at) => part.slice(at, at + 8)));
    const cut = fc.tuple(fc.nat(text.length), fc.nat(200), fc.string());
    const exchanged = fc.tuple(fc.constantFrom(...parts), fc.oneof(fc.constantFrom(...parts), fc.string()));
    const damaged = fc.oneof(
      cut.map(([from, length, put]) => text.slice(0, from) + put + text.slice(from + length)),
      exchanged.map(([part, put]) => text.replaceAll(part, () => put)),
    );
    let refused = 0;
    fc.assert(
      fc.property(damaged, (content) => {
        fc.pre(content !== text);
        const error = refusal(dataOf(content));
        if (!error) return;
        refused += 1;
        const told = `${String(error)} ${JSON.stringify(error)} ${String(error.cause)}`;
        expect(pieces.filter((piece) => told.includes(piece))).toEqual([]);
      }),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(250);
  });
});
