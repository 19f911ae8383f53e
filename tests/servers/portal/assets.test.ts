// The assets are named by their content and cached for good; nothing else is served.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startPortal } from './portal-server.ts';
import type { PortalServer } from './portal-server.ts';

describe('the assets', () => {
  let portal: PortalServer;
  beforeAll(async () => {
    portal = await startPortal();
  });
  afterAll(() => portal.close());

  const fetch = (url: string) => portal.app.inject({ url, headers: { host: new URL(portal.url).host } });

  test('that a page names are there, typed, and may be kept for good', async () => {
    const { body } = await fetch('/sign-in');
    const paths = new Set(
      [...body.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1] ?? ''),
    );
    const types = new Map<string, string>();
    for (const path of paths) {
      expect(path).toMatch(/-[0-9a-f]{16}\.(css|js|svg)$/);
      const { statusCode, headers } = await fetch(path);
      expect(statusCode).toBe(200);
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
      types.set(path.replace(/.*\./, ''), String(headers['content-type']));
    }
    expect(Object.fromEntries(types)).toEqual({
      css: 'text/css; charset=utf-8',
      js: 'text/javascript; charset=utf-8',
      svg: 'image/svg+xml',
    });
  });

  test.each(['/assets/portal.css', '/assets/..%2fassets.ts', '/assets/__proto__'])(
    'do not include %s',
    async (url) => {
      const { statusCode, headers } = await fetch(url);
      expect(statusCode).toBe(404);
      expect(headers['cache-control']).toBe('no-store');
    },
  );
});
