// Photographs the portal as a user of the demo sees it, by day and by night.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startBrowser } from '../browser.ts';
import { portalCertificate, type Portal } from '../demo/portal-certificate.ts';

const PREPARED_MS = 15_000;

export interface Sitter {
  readonly username: string;
  readonly password: string;
}

/** Signs in, and writes `sign-in-*.png` and `access-*.png` into the folder, `light` and `dark`. */
export async function takePictures(
  portal: Portal,
  { username, password }: Sitter,
  folder: string,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const browser = await startBrowser([await portalCertificate(portal)]);
  try {
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({
        colorScheme,
        deviceScaleFactor: 1.5,
        viewport: { width: 760, height: 400 },
      });
      const page = await context.newPage();
      // Without the cursor that blinks in a field.
      const picture = (name: string) =>
        page.screenshot({
          path: join(folder, `${name}-${colorScheme}.png`),
          fullPage: true,
          animations: 'disabled',
          caret: 'hide',
        });
      await page.goto(portal.portal);
      await page.getByLabel('Username').fill(username);
      await page.getByLabel('Username').blur();
      await picture('sign-in');
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'Your access is active' }).waitFor({ timeout: PREPARED_MS });
      await picture('access');
      await context.close();
    }
  } finally {
    await browser.close();
  }
}
