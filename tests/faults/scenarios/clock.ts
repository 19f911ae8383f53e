// The clock of the operator is set forward and back: nothing is minted, tokens go at their floor and not before, and it goes on when the clocks agree again.
import { expect } from '@jest/globals';
import { decodeJwt } from 'jose';
import { waitUntil } from '../../../dev/wait-until.ts';
import type { Field } from '../harness/field.ts';

const STEP_MS = 30_000;
/** A token goes from its Secret when it has 65 s left. Nobody's is so old when it begins, and some are when it ends. */
const OLD_ENOUGH_MS = 100_000;
const FORWARD_MS = 12_000;
const BACK_MS = 33_000;
const NOTICE_MS = 10_000;
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

function leastLeftMs(held: readonly string[]): number {
  return Math.min(...held.map((token) => (decodeJwt(token).exp ?? 0) * 1_000)) - Date.now();
}

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
    await waitUntil('the step to be said', NOTICE_MS, saysClocksDiffer);
    const before = new Set(await tokens(field));
    await field.carryOn(FORWARD_MS);
    const after = await tokens(field);
    expect(after.filter((token) => !before.has(token))).toHaveLength(0);
    // By the clock that is ahead many were at their floor; by the API server's nobody was.
    expect(after.length).toBe(before.size);

    clock.set(-STEP_MS);
    await field.carryOn(BACK_MS);
    const left = await tokens(field);
    expect(left.filter((token) => !before.has(token))).toHaveLength(0);
    // By the clock that is behind nobody was at the floor; the prober sees that nobody is below it.
    expect(left.length).toBeLessThan(before.size);

    clock.set(0);
    await waitUntil('the clocks to agree', NOTICE_MS, () => !saysClocksDiffer());
  });
  await waitUntil(
    'everybody to have a token again',
    AGAIN_MS,
    async () => (await tokens(field)).length >= signedIn,
  );
}
