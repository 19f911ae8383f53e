// Which forms are taken, and what is taken from them.
import { describe, expect, test } from '@jest/globals';
import { readCredentials } from '../../../src/servers/portal/credentials.ts';

describe('the credentials of a form', () => {
  test('are a trimmed username and a password as it was typed', () => {
    expect(readCredentials({ username: ' ada\t', password: ' pass word ', other: 'field' })).toEqual({
      username: 'ada',
      password: ' pass word ',
    });
  });

  test('may be as long as their limits, and empty', () => {
    const longest = { username: 'u'.repeat(256), password: 'p'.repeat(1024) };
    expect(readCredentials(longest)).toEqual(longest);
    expect(readCredentials({ username: ' ', password: '' })).toEqual({ username: '', password: '' });
  });

  test.each([
    ['no form', undefined],
    ['a text', 'username=ada'],
    ['no password', { username: 'ada' }],
    ['no username', { password: 'x' }],
    ['two usernames', { username: ['ada', 'eve'], password: 'x' }],
    ['two passwords', { username: 'ada', password: ['x', 'y'] }],
    ['a username that is too long', { username: 'u'.repeat(257), password: 'x' }],
    ['a password that is too long', { username: 'ada', password: 'p'.repeat(1025) }],
  ])('are not taken from %s', (_name, form) => {
    expect(() => readCredentials(form)).toThrow(
      expect.objectContaining({ code: 'BadForm', statusCode: 400 }),
    );
  });
});
