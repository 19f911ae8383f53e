// Who keeps an account that Users claim who were made within one second.
import { expect, test } from '@jest/globals';
import { holder, isOlderForAccount } from '../../src/domain/claimants.ts';
import { ada } from './pictures.ts';

const CREATED = '2030-01-01T08:00:00Z';
const made = (uid: string, creationTimestamp = CREATED, username?: string) =>
  ada({ metadata: { uid, creationTimestamp }, status: { ...(username !== undefined && { username }) } });

test('an account stays with whom it is, also when the status of the other says its username, too', () => {
  const others = [made('uid-2', CREATED, 'b'), made('uid-2')];
  for (const [first, second] of others.flatMap((other) => [
    [made('uid-1'), other],
    [other, made('uid-1')],
  ]))
    expect(holder([first!, second!], isOlderForAccount)?.metadata.uid).toBe('uid-1');
  expect(
    holder([made('uid-1'), made('uid-2', '2030-01-01T07:59:59Z')], isOlderForAccount)?.metadata.uid,
  ).toBe('uid-2');
});
