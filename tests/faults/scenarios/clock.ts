// The clock of the operator is set forward and back: nothing is minted, tokens go at their floor and not before, and it goes on when the clocks agree again.
import { expect } from '@jest/globals';
import { decodeJwt } from 'jose';
import { waitUntil } from '../../../dev/wait-until.ts';
import type { Field } from '../harness/field.ts';

const STEP_MS = 30_000;
/** A token goes from its Secret when it has 65 s left, by the latest that the API server's clock may show. */
const GOES_MS = 65_000;
const BELOW_MS = 55_000;
/** For what a list and an answer's Date, in whole seconds, do not tell. */
const GRAIN_MS = 3_000;
const OLD_ENOUGH_MS = 100_000;
/** By the clock that is ahead the oldest one should then have been gone for ten seconds, by the API server's it has twenty. */
const OLD_BY_ONE_CLOCK_MS = GOES_MS + STEP_MS - 10_000;
/** In which a write that was decided on before the step arrives. */
const UNDER_WAY_MS = 2_000;
const AGE_MS = 120_000;
/** However slow the machine is: the prober says what is late. */
const AGAIN_MS = 120_000;

interface TokenSecrets {
  readonly items: readonly { readonly data?: { readonly AUTH_TOKEN?: string } }[];
}

async function tokens({ admin }: Field): Promise<readonly string[]> {
  const { items } = await admin.request<TokenSecrets>({
    method: 'GET',
    path: '/api/v1/secrets',
    query: { fieldSelector: 'metadata.name=access-token' },
  });
  return items.flatMap(({ data }) => (data?.AUTH_TOKEN === undefined ? [] : [atob(data.AUTH_TOKEN)]));
}

const leftMs = (token: string) => (decodeJwt(token).exp ?? 0) * 1_000 - Date.now();
const leastLeftMs = (held: Iterable<string>) => Math.min(...[...held].map(leftMs));

export async function clockIsSet(field: Field): Promise<void> {
  const { clock, saysClocksDiffer } = await field.replicas.untilLeading();
  const signedIn = [...field.journal.people()].filter(({ current }) => current).length;
  await waitUntil(
    'tokens to be old enough',
    AGE_MS,
    async () => leastLeftMs(await tokens(field)) < OLD_ENOUGH_MS,
  );

  await field.outage('Unmintable', async () => {
    clock.set(STEP_MS);
    await waitUntil('the step to be said', AGAIN_MS, saysClocksDiffer);
    let before = new Set(await tokens(field));
    /** @returns what there is now: of it, nothing is new */
    const nothingNew = async (): Promise<Set<string>> => {
      const now = new Set(await tokens(field));
      expect([...now].filter((token) => !before.has(token))).toEqual([]);
      return now;
    };
    // Some seven are minted each second where any is.
    await waitUntil('what was under way to have arrived', AGAIN_MS, async () => {
      await field.carryOn(UNDER_WAY_MS);
      const now = new Set(await tokens(field));
      const isQuiet = [...now].every((token) => before.has(token));
      before = now;
      return isQuiet;
    });
    await waitUntil('many to be at their floor by the clock that is ahead', AGE_MS, () => {
      return leastLeftMs(before) < OLD_BY_ONE_CLOCK_MS;
    });
    const after = await nothingNew();
    // By the API server's clock these were not.
    const kept = [...before].filter((token) => leftMs(token) > GOES_MS + GRAIN_MS);
    expect(leastLeftMs(kept)).toBeLessThan(GOES_MS + STEP_MS);
    expect(kept.filter((token) => !after.has(token))).toEqual([]);

    clock.set(-STEP_MS);
    // By the clock that is behind nobody is at the floor; the prober sees that nobody is below it.
    await waitUntil('some to be below the floor', AGE_MS, () => leastLeftMs(before) < BELOW_MS);
    await waitUntil('some to be gone', AGAIN_MS, async () => (await nothingNew()).size < before.size);

    clock.set(0);
    await waitUntil('the clocks to agree', AGAIN_MS, () => !saysClocksDiffer());
  });
  await waitUntil(
    'everybody to have a token again',
    AGAIN_MS,
    async () => (await tokens(field)).length >= signedIn,
  );
}
