// The token of a caller is known by its hash alone.
import { describe, expect, test } from '@jest/globals';
import { callerOf, newCallerToken, parseDigest } from '../../../src/verification/callers/token.ts';

const [api, web] = [newCallerToken(), newCallerToken()];
const callers = new Map([
  ['api', parseDigest(api.digest)!],
  ['web', parseDigest(web.digest)!],
]);

describe('a caller', () => {
  test('has 256 random bits, of which the hash is kept', () => {
    expect(api.token).toMatch(/^lkc_[\w-]{43}$/);
    expect(Buffer.from(api.token.slice(4), 'base64url')).toHaveLength(32);
    expect(api.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(api.digest).not.toContain(api.token.slice(4, 20));
    expect(api.token).not.toBe(web.token);
  });

  test('is known by its token and by nothing else', () => {
    expect(callerOf(api.token, callers)).toBe('api');
    expect(callerOf(web.token, callers)).toBe('web');
    for (const other of ['', newCallerToken().token, api.digest, `${api.token} `, api.token.toUpperCase()])
      expect(callerOf(other, callers)).toBeUndefined();
    expect(callerOf(api.token, new Map())).toBeUndefined();
  });
});

test.each([
  '',
  'sha256:',
  'sha256:abc',
  `md5:${'a'.repeat(64)}`,
  `sha256:${'A'.repeat(64)}`,
  ` ${'a'.repeat(71)}`,
])('%j is no hash of a token', (digest) => expect(parseDigest(digest)).toBeUndefined());
