import { expect, test } from '@jest/globals';
import {
  isSignedIn,
  newBrowser,
  userNameOf,
  withBrowser,
  withoutBrowser,
} from '../../src/sessions/browser.ts';

const NOW = new Date('2030-01-01T00:00:00Z');
const later = (hours: number) => new Date(NOW.getTime() + hours * 3_600_000);

test('a cookie signs in its browser for half a day, and names its User', () => {
  const { cookie, browser } = newBrowser('ada', NOW);
  expect(userNameOf(cookie)).toBe('ada');
  expect(isSignedIn([browser], cookie, later(11.9))).toBe(true);
  expect(isSignedIn([browser], cookie, later(12))).toBe(false);
});

test('what the User holds of a cookie does not sign anybody in', () => {
  const { cookie, browser } = newBrowser('ada', NOW);
  expect(JSON.stringify(browser)).not.toContain(cookie.split('.')[1]);
  expect(isSignedIn([browser], browser.digest, NOW)).toBe(false);
  expect(isSignedIn([browser], newBrowser('ada', NOW).cookie, NOW)).toBe(false);
});

test('signing out forgets one browser and keeps the others', () => {
  const [one, two] = [newBrowser('ada', NOW), newBrowser('ada', NOW)];
  const left = withoutBrowser([one.browser, two.browser], one.cookie, NOW);
  expect(left).toEqual([two.browser]);
});

test('only so many browsers are signed in at once, and the oldest goes first', () => {
  const made = Array.from({ length: 7 }, () => newBrowser('ada', NOW));
  const held = made.reduce<ReturnType<typeof withBrowser>>(
    (all, { browser }) => withBrowser(all, browser, NOW),
    [],
  );
  expect(held).toEqual(made.slice(2).map(({ browser }) => browser));
});

test.each([
  '',
  'ada',
  'ada.',
  '.x',
  'ada.short',
  `../ada.${'x'.repeat(43)}`,
  `ADA.${'x'.repeat(43)}`,
  `ada.${'x'.repeat(44)}`,
])('a cookie such as %j is none of ours', (cookie) => {
  expect(userNameOf(cookie)).toBeUndefined();
});

test('a damaged digest in the status signs nobody in', () => {
  const { cookie, browser } = newBrowser('ada', NOW);
  for (const digest of ['', 'zz', browser.digest.slice(2)])
    expect(isSignedIn([{ ...browser, digest }], cookie, NOW)).toBe(false);
});
