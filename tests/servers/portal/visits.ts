// A real Chromium in front of the portal, one visit of a fresh profile after the other.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { startBrowser } from '../../../dev/browser.ts';
import { startPortal } from './portal-server.ts';
import type { PortalServer } from './portal-server.ts';

export class Visits {
  readonly portal: PortalServer;
  readonly #browser: Browser;
  /** what the pages did that their policy forbids, and errors of their scripts */
  readonly violations: string[] = [];

  private constructor(portal: PortalServer, browser: Browser) {
    this.portal = portal;
    this.#browser = browser;
  }

  static async begin(): Promise<Visits> {
    const portal = await startPortal({ passwordChangeUrl: new URL('https://passwords.example.com/change') });
    try {
      return new Visits(portal, await startBrowser([portal.certFile]));
    } catch (error) {
      await portal.close();
      throw error;
    }
  }

  /** A page in a profile of its own. */
  async open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext(options);
    const page = await context.newPage();
    page.on('console', (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) this.violations.push(message.text());
    });
    page.on('pageerror', (error) => this.violations.push(error.message));
    return page;
  }

  /** Closes every page and puts the portal back to its start. */
  async forget(): Promise<void> {
    for (const context of this.#browser.contexts()) await context.close();
    this.portal.access.reset();
    this.violations.length = 0;
  }

  async end(): Promise<void> {
    await this.#browser.close();
    await this.portal.close();
  }

  /** Signs in as a person does. */
  async signIn(page: Page): Promise<void> {
    await page.goto(this.portal.url);
    await page.getByLabel('Username').fill('ada');
    await page.getByLabel('Password').fill('correct');
    await page.getByRole('button', { name: 'Sign in' }).click();
  }
}
