// What the state page does by itself where there is JavaScript, in a real browser.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { adaView } from './scripted-access.ts';
import { Visits } from './visits.ts';

let visits: Visits;
beforeAll(async () => {
  visits = await Visits.begin();
});
afterAll(() => visits?.end());
afterEach(async () => {
  const violations = [...visits.violations];
  await visits.forget();
  expect(violations).toEqual([]);
});

describe('with JavaScript, the page', () => {
  test('copies the command and says so', async () => {
    const page = await visits.open({ permissions: ['clipboard-read', 'clipboard-write'] });
    await visits.signIn(page);
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('status').filter({ hasText: 'Copied' }).waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(adaView.command);
  });

  test('selects the command where the browser forbids copying', async () => {
    const page = await visits.open();
    await page.addInitScript('navigator.clipboard.writeText = () => Promise.reject(new Error("forbidden"))');
    await visits.signIn(page);
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('status').filter({ hasText: 'press Ctrl+C' }).waitFor();
    expect(await page.evaluate('getSelection().toString()')).toBe(adaView.command);
  });

  test('counts down, whatever the clock of the machine says, and shows a new token', async () => {
    const page = await visits.open();
    await page.clock.install({ time: new Date('1999-12-31T12:00:00Z') });
    await visits.signIn(page);
    const time = page.locator('time');
    expect(await time.textContent()).toBe('in 17 minutes');
    await page.clock.runFor(40_000);
    expect(await time.textContent()).toBe('in 16 minutes');

    visits.portal.access.shown = { ...adaView, tokenExpiresAt: new Date('2026-03-01T14:44:00Z') };
    await page.getByText('End my access now').click();
    await page.clock.runFor(20_000);
    await page.getByText('at 14:44 UTC').waitFor();
    expect(await time.textContent()).toBe('in 29 minutes');
    // It is still the same page, with what was opened on it.
    expect(await page.getByRole('button', { name: 'Yes, end my access' }).isVisible()).toBe(true);
  });

  test('notices that access has gone', async () => {
    const page = await visits.open();
    await page.clock.install();
    await visits.signIn(page);
    visits.portal.access.shown = { ...adaView, state: 'Blocked' };
    await page.clock.runFor(60_000);
    await page.getByRole('heading', { name: 'Your access is blocked' }).waitFor();
  });

  test('stays as it is while the server is out of order', async () => {
    const page = await visits.open();
    await page.clock.install();
    await visits.signIn(page);
    visits.portal.access.failure = new Error('out of order');
    const answered = page.waitForResponse((response) => response.status() === 500);
    await page.clock.runFor(60_000);
    await answered;
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Your access is active');
    visits.portal.access.failure = undefined;
    visits.portal.access.shown = { ...adaView, state: 'Blocked' };
    await page.clock.runFor(60_000);
    await page.getByRole('heading', { name: 'Your access is blocked' }).waitFor();
  });
});
