// The promise about directories, to be kept on every kind of them: disabled there → invalid until enabled and signed in.
import { expect } from '@jest/globals';
import { startOperator } from '../../dev/latchkey/operator.ts';
import type { Latchkey } from './latchkey.ts';

export interface Person {
  readonly name: string;
  readonly password: string;
  /** By the directory's own tools. */
  disable(): Promise<unknown>;
  enable(): Promise<unknown>;
}

/** Who is killed leads for so long still, and nobody does anything meanwhile; by default for 15 s. */
export const TAKEN_OVER_SOON = '--lease-duration=6s';

const isOut = (latchkey: Latchkey, { name }: Person) =>
  latchkey.untilStatus(name, ({ directory }) => directory?.state === 'Inactive');
const isBack = (latchkey: Latchkey, { name }: Person) =>
  latchkey.untilStatus(name, ({ directory }) => directory?.state === 'Active');

/** The operator is killed (SIGKILL) and another one started on the same flags. */
export async function restart(latchkey: Latchkey, flags: readonly string[]): Promise<void> {
  await latchkey.operator.kill();
  latchkey.operator.remove();
  latchkey.operator = await startOperator(latchkey.cluster, { flags });
}

/** Is signed in at the beginning and at the end. */
export async function keepsThePromise(
  latchkey: Latchkey,
  person: Person,
  flags: readonly string[],
): Promise<void> {
  const { name, password } = person;
  expect((await latchkey.signIn(name, password)).status).toBe(303);
  const { claims: before } = await latchkey.untilToken(name);

  await person.disable();
  await latchkey.untilNoToken(name);
  const out = await isOut(latchkey, person);
  expect(out.session).toBeUndefined();
  expect(out.conditions).toContainEqual(
    expect.objectContaining({ type: 'DirectoryActive', status: 'False' }),
  );
  expect((await latchkey.signIn(name, password)).status).not.toBe(303);

  await restart(latchkey, flags);
  await isOut(latchkey, person);
  expect(await latchkey.token(name)).toBeUndefined();

  await person.enable();
  await isBack(latchkey, person);
  expect(await latchkey.token(name)).toBeUndefined();
  await restart(latchkey, flags);
  await isBack(latchkey, person);
  const again = await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending');
  expect(again.session).toBeUndefined();
  expect(await latchkey.token(name)).toBeUndefined();

  expect((await latchkey.signIn(name, password)).status).toBe(303);
  const { claims: after } = await latchkey.untilToken(name);
  expect(after['sid']).not.toBe(before['sid']);
}

/** Disabled while no operator runs: the next one finds it. */
export async function findsWhatNobodyWatched(
  latchkey: Latchkey,
  person: Person,
  flags: readonly string[],
): Promise<void> {
  expect((await latchkey.signIn(person.name, person.password)).status).toBe(303);
  await latchkey.untilToken(person.name);
  await latchkey.operator.kill();
  await person.disable();
  await restart(latchkey, flags);
  await latchkey.untilNoToken(person.name);
  await isOut(latchkey, person);
}
