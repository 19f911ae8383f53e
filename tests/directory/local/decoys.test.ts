// A name without an account costs what some account costs.
import { expect, test } from '@jest/globals';
import { parseAccounts } from '../../../src/directory/local/accounts.ts';
import { decoys } from '../../../src/directory/local/decoys.ts';
import { DEFAULT_COST, hashPassword, type ScryptCost } from '../../../src/directory/local/password-hash.ts';

const CHEAP: ScryptCost = { ln: 13, r: 8, p: 1 };
const DEAR: ScryptCost = { ln: 14, r: 8, p: 1 };
const NAMES = Array.from({ length: 64 }, (_, index) => `nobody-${index}`);

test('the same one each time, of all that there are', async () => {
  const lines = [`ada:${await hashPassword('right', CHEAP)}`, `grace:${await hashPassword('right', DEAR)}`];
  const accounts = parseAccounts(lines.join('\n'));
  const decoyFor = decoys();
  const costs = NAMES.map((name) => decoyFor(name, accounts).cost);
  expect(NAMES.map((name) => decoyFor(name, accounts).cost)).toEqual(costs);
  // That 64 names hit one of two alone is one chance in 2^63.
  expect(new Set(costs.map(({ ln }) => ln))).toEqual(new Set([CHEAP.ln, DEAR.ln]));
});

test('and the usual where there is no account', () => {
  expect(decoys()('nobody', new Map()).cost).toEqual(DEFAULT_COST);
});
