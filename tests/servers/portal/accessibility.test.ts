// Every page, light and dark, wide and narrow, before axe-core in a real browser.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import type { AccessState, SignInResult } from '../../../src/sessions/access.ts';
import type { PortalServer } from './portal-server.ts';
import { adaView } from './scripted-access.ts';
import { Visits } from './visits.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const standards = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

let visits: Visits;
let portal: PortalServer;

beforeAll(async () => {
  visits = await Visits.begin();
  portal = visits.portal;
});
afterAll(() => visits?.end());

async function submit(page: Page, result: SignInResult): Promise<void> {
  portal.access.reset();
  portal.access.result = result;
  await page.goto(`${portal.url}/sign-in`);
  await page.getByLabel('Username').fill('ada');
  await page.getByLabel('Password').fill('x');
  await page.getByRole('button').click();
}

const signedIn: SignInResult = {
  outcome: 'SignedIn',
  cookie: 'ada-browser-1',
  expiresAt: new Date('2099-01-01T00:00:00Z'),
};

async function show(page: Page, state: AccessState): Promise<void> {
  await submit(page, signedIn);
  portal.access.shown = {
    ...adaView,
    state,
    ...(state === 'Blocked' && { reason: 'LicenseExpired', message: 'Ask an admin to renew the licence.' }),
  };
  await page.goto(portal.url);
}

const pages: [string, string, (page: Page) => Promise<unknown>][] = [
  ['the sign-in page', 'Sign in', (page) => page.goto(`${portal.url}/sign-in`)],
  ['a farewell', 'You are signed out', (page) => page.goto(`${portal.url}/sign-in?notice=SignedOut`)],
  ['a wrong password', 'That did not work', (page) => submit(page, { outcome: 'Refused' })],
  [
    'an expired password',
    'Your password has expired',
    (page) => submit(page, { outcome: 'PasswordExpired' }),
  ],
  ['no User', 'You have no access yet', (page) => submit(page, { outcome: 'NoUser' })],
  [
    'a closed gate',
    'You have no access right now',
    (page) => submit(page, { outcome: 'NoAccess', reason: 'UserDisabled', message: 'Off.' }),
  ],
  [
    'too many attempts',
    'Too many attempts',
    (page) => submit(page, { outcome: 'TooManyAttempts', retryAfterSeconds: 600 }),
  ],
  ['an outage', 'Cannot sign in right now', (page) => submit(page, { outcome: 'Unavailable' })],
  ['active access', 'Your access is active', (page) => show(page, 'Active')],
  [
    'access about to be ended',
    'Your access is active',
    async (page) => {
      await show(page, 'Active');
      await page.getByText('End my access now').click();
    },
  ],
  ['access being prepared', 'Your access is being prepared', (page) => show(page, 'Preparing')],
  ['access that has ended', 'Your access has ended', (page) => show(page, 'SignedOut')],
  ['blocked access', 'Your access is blocked', (page) => show(page, 'Blocked')],
  ['a page that is not there', 'There is nothing here', (page) => page.goto(`${portal.url}/nothing`)],
];

describe.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 320],
  ['dark', 320],
] as const)('in %s, %i pixels wide', (colorScheme, width) => {
  let page: Page;
  beforeAll(async () => {
    // The policy is bypassed for axe alone; that the pages keep to it is tested where they are used.
    page = await visits.open({
      bypassCSP: true,
      colorScheme,
      viewport: { width, height: 720 },
      reducedMotion: 'reduce',
    });
  });
  afterAll(() => visits.forget());

  test.each(pages)(
    '%s has no fault that axe can find and needs no scrolling sideways',
    async (_name, heading, go) => {
      await go(page);
      await page.getByRole('heading', { name: heading }).waitFor();
      await page.evaluate(axe);
      const { violations, passes } = await page.evaluate<AxeResults>(
        `axe.run({ runOnly: ${JSON.stringify(standards)} })`,
      );
      expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
      expect(passes.map(({ id }) => id)).toEqual(
        expect.arrayContaining(['color-contrast', 'document-title']),
      );
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      expect(await smallTargets(page)).toEqual([]);
    },
  );
});

/** What can be pressed and is smaller than WCAG 2.2, 2.5.8 asks; links within a sentence are exempt. */
async function smallTargets(page: Page): Promise<string[]> {
  const small: string[] = [];
  for (const target of await page.locator('button, input, summary, a.button').all()) {
    const box = await target.boundingBox();
    if (box && (box.width < 24 || box.height < 24)) small.push(String(await target.textContent()));
  }
  return small;
}
