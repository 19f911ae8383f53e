// What people do in the portal, in a real browser: with JavaScript, without it, and by keyboard.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { waitUntil } from '../../../dev/wait-until.ts';
import { adaCookie, adaView } from './scripted-access.ts';
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

const heading = (page: Page) => page.getByRole('heading', { level: 1 }).textContent();

describe.each([true, false])('with JavaScript: %s, a person', (javaScriptEnabled) => {
  test('signs in, sees their access, and signs out', async () => {
    const page = await visits.open({ javaScriptEnabled });
    await visits.signIn(page);
    expect(await heading(page)).toBe('Your access is active');
    expect(page.url()).toBe(`${visits.portal.url}/`);
    expect(await page.locator('#command').textContent()).toBe(adaView.command);
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({
      name: '__Host-latchkey',
      value: adaCookie,
      secure: true,
      httpOnly: true,
      sameSite: 'Lax',
    });

    await page.getByRole('button', { name: 'Sign out' }).click();
    expect(await page.getByRole('status').textContent()).toContain('You are signed out');
    expect(await page.context().cookies()).toEqual([]);
    await page.goto(visits.portal.url);
    expect(page.url()).toBe(`${visits.portal.url}/sign-in`);
  });

  test('who mistypes reads why, and goes on where they were', async () => {
    visits.portal.access.result = { outcome: 'Refused' };
    const page = await visits.open({ javaScriptEnabled });
    await visits.signIn(page);
    expect(await page.getByRole('alert').textContent()).toContain('username or the password is wrong');
    expect(await page.getByLabel('Username').inputValue()).toBe('ada');
    expect(await page.getByLabel('Password').inputValue()).toBe('');
    expect(await page.locator(':focus').getAttribute('id')).toBe('password');
    expect(await page.locator(':focus').getAttribute('aria-describedby')).toBe('problem');
  });

  test('ends their access, after a second thought', async () => {
    const page = await visits.open({ javaScriptEnabled });
    await visits.signIn(page);
    const confirm = page.getByRole('button', { name: 'Yes, end my access' });
    expect(await confirm.isVisible()).toBe(false);
    await page.getByText('End my access now').click();
    await confirm.click();
    expect(await page.getByRole('status').textContent()).toContain('Your access has ended');
    expect(visits.portal.access.ended).toEqual([adaCookie]);
  });

  test('sees a page that is being prepared turn into the next', async () => {
    visits.portal.access.shown = { ...adaView, state: 'Preparing' };
    const page = await visits.open({ javaScriptEnabled });
    await visits.signIn(page);
    expect(await heading(page)).toBe('Your access is being prepared');
    visits.portal.access.shown = adaView;
    await page.getByRole('heading', { name: 'Your access is active' }).waitFor({ timeout: 60_000 });
  });
});

describe('without JavaScript, the page', () => {
  test('offers no button that would do nothing', async () => {
    const page = await visits.open({ javaScriptEnabled: false });
    await visits.signIn(page);
    expect(await page.getByRole('button', { name: 'Copy' }).isVisible()).toBe(false);
  });
});

describe('with the keyboard alone, a person', () => {
  test('does everything, and sees where they are', async () => {
    const page = await visits.open();
    await page.goto(visits.portal.url);
    // The first field has the focus from the start.
    await page.keyboard.type('ada');
    await page.keyboard.press('Tab');
    await page.keyboard.type('correct');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Your access is active' }).waitFor();

    const stops: string[] = [];
    for (const _ of ['Copy', 'Sign out', 'End my access now']) {
      await page.keyboard.press('Tab');
      stops.push((await page.locator(':focus').textContent())?.trim() ?? '');
      expect(await outline(page)).toMatch(/^solid [3-9]px$/);
    }
    expect(stops).toEqual(['Copy', 'Sign out', 'End my access now']);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await waitUntil('the access to end', 60_000, () => visits.portal.access.ended.length > 0);
  });
});

const outline = (page: Page) =>
  page.locator(':focus').evaluate((element) => {
    const style = element.ownerDocument.defaultView?.getComputedStyle(element);
    return `${style?.outlineStyle} ${style?.outlineWidth}`;
  });
