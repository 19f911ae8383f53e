// What a page of another site can do to the portal through somebody's real browser: nothing.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { waitUntil } from '../../../dev/wait-until.ts';
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

describe('a foreign page', () => {
  const served = { body: '' };
  const foreign = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end(served.body);
  });
  let foreignUrl: string;
  beforeAll(async () => {
    foreign.listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    const address = foreign.address();
    foreignUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`;
  });
  afterAll(() => {
    foreign.close();
    foreign.closeAllConnections();
  });

  test('signs nobody in by a form of its own', async () => {
    served.body = `<form method="post" action="${visits.portal.url}/sign-in">
      <input name="username" value="eve"><input name="password" value="x"><button>Win</button></form>`;
    const page = await visits.open();
    await page.goto(foreignUrl);
    await page.getByRole('button').click();
    await page.getByRole('heading', { name: 'That came from another site' }).waitFor();
    expect(visits.portal.access.attempts).toEqual([]);
    expect(await page.context().cookies()).toEqual([]);
  });

  test('cannot frame the portal', async () => {
    served.body = `<iframe src="${visits.portal.url}/sign-in"></iframe>`;
    const page = await visits.open();
    await page.goto(foreignUrl);
    await waitUntil('the browser to refuse', 60_000, () => visits.violations.length > 0);
    expect(visits.violations.splice(0).join()).toContain('frame-ancestors');
  });
});
