// Which addresses the portal can be given.
import { describe, expect, test } from '@jest/globals';
import { parseExternalUrl, parsePasswordChangeUrl } from '../../../src/servers/portal/settings.ts';

describe('the external URL', () => {
  test.each([
    ['https://latchkey.example.com', 'https://latchkey.example.com'],
    ['https://latchkey.example.com/', 'https://latchkey.example.com'],
    ['https://Latchkey.Example.com:443', 'https://latchkey.example.com'],
    ['https://localhost:8443', 'https://localhost:8443'],
    ['https://[::1]:8443/', 'https://[::1]:8443'],
  ])('%s is the origin %s', (text, origin) => {
    expect(parseExternalUrl(text).origin).toBe(origin);
  });

  test.each([
    'latchkey.example.com',
    'http://latchkey.example.com',
    'https://latchkey.example.com/portal',
    'https://latchkey.example.com/?a',
    'https://latchkey.example.com/#a',
    'https://ada@latchkey.example.com',
    'https://latchkey.example.com//',
    ' https://latchkey.example.com',
    '',
  ])('%j is refused with what to write instead', (text) => {
    expect(() => parseExternalUrl(text)).toThrow(
      expect.objectContaining({
        code: 'ExternalUrlInvalid',
        message: expect.stringContaining('such as https://latchkey.example.com'),
      }),
    );
  });
});

describe('the address for changing a password', () => {
  test('may have a path and a query', () => {
    const text = 'https://passwords.example.com/change?realm=staff';
    expect(parsePasswordChangeUrl(text).href).toBe(text);
  });

  test.each(['http://passwords.example.com', 'javascript:alert(1)', 'https://a:b@passwords.example.com', ''])(
    '%j is refused',
    (text) => {
      expect(() => parsePasswordChangeUrl(text)).toThrow(
        expect.objectContaining({ code: 'PasswordChangeUrlInvalid' }),
      );
    },
  );
});
