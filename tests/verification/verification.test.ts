// What a replica says of tokens while the world changes behind its back: revoked is never a yes, new is never a no.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { waitUntil } from '../../dev/wait-until.ts';
import { FRESH_MS } from '../../src/kubernetes/freshness.ts';
import { latchkeyCommand } from '../../dev/latchkey/command.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { untilNoMore } from '../support/until-no-more.ts';
import { startVerifyingReplica, type VerifyingReplica } from './replica.ts';

const PASSWORD = 'correct horse battery staple';
const DEADLINE_MS = 60_000;
const latchkey = await startLatchkey({ accounts: { ada: PASSWORD, grace: PASSWORD } });
afterAll(() => latchkey.stop());
const command = latchkeyCommand(latchkey.cluster.adminKubeconfig);

let replica: VerifyingReplica;
beforeEach(async () => {
  replica = await startVerifyingReplica(latchkey);
});
afterEach(() => replica.stop());

beforeAll(async () => {
  await latchkey.createUser('ada', { groups: ['analytics'] });
});

/** A token of a session that has just begun. */
async function signIn(name = 'ada'): Promise<string> {
  await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending' || phase === 'Active');
  expect((await latchkey.signIn(name, PASSWORD)).status).toBe(303);
  return (await latchkey.untilToken(name)).token;
}

const outcome = async (token: string) => (await replica.verify(token)).outcome;
const untilProven = () => waitUntil('a proof', DEADLINE_MS, () => replica.proofs.isProven());
const untilNoYes = (token: string, revoked: number) =>
  untilNoMore('no yes any more', revoked, async () => (await outcome(token)) === 'Accepted');
const asked = (path: string) => replica.requests.filter((request) => request.path.includes(path)).length;

describe('a yes', () => {
  test('rests on live reads at first, and on the caches alone when they are proven', async () => {
    const token = await signIn();
    const before = asked('/users/ada');
    expect(await replica.verify(token)).toMatchObject({
      outcome: 'Accepted',
      identity: { preferred_username: 'ada', groups: ['analytics'] },
    });
    expect(asked('/users/ada')).toBe(before + 1);
    await untilProven();
    for (let times = 0; times < 20; times += 1) expect(await outcome(token)).toBe('Accepted');
    expect(asked('/users/ada')).toBe(before + 1);
  });

  test('is there for a session that began on another replica, before the watch tells of it', async () => {
    await command('revoke', '--user=ada');
    await untilProven();
    replica.stallWatches();
    const token = await signIn();
    expect(await outcome(token)).toBe('Accepted');
  });

  test('is there for a User that was made a moment ago, before the watch tells of it', async () => {
    await untilProven();
    replica.stallWatches();
    await latchkey.createUser('grace');
    expect(await outcome(await signIn('grace'))).toBe('Accepted');
  });
});

describe('never a yes for somebody revoked meanwhile', () => {
  test('as soon as the watch tells of it, where everything works', async () => {
    const token = await signIn();
    await untilProven();
    expect(await outcome(token)).toBe('Accepted');
    await latchkey.patch('users.latchkey.dev ada', { spec: { disabled: true } });
    await waitUntil('the refusal', DEADLINE_MS, async () => {
      const isKnown = replica.user('ada')?.spec.disabled === true;
      const said = await outcome(token);
      if (isKnown) expect(said).toBe('Refused');
      return said === 'Refused';
    });
    expect(await outcome(token)).toBe('Refused');
    // The first no alone, however often it is asked.
    expect(replica.refusedAfter).toHaveLength(1);
    expect(replica.counted).toContain('Accepted');
    expect(replica.counted.at(-1)).toMatch(/^Refused (SwitchedOff|SessionEnded)$/);
    await latchkey.patch('users.latchkey.dev ada', { spec: { disabled: false } });
  });

  test('where the watches have stalled: within the age of a proof, and for good', async () => {
    const token = await signIn();
    await untilProven();
    replica.stallWatches();
    await command('revoke', '--user=ada');
    const revoked = performance.now();
    await untilNoYes(token, revoked);
    await waitUntil('more than a proof lasts to pass', DEADLINE_MS, async () => {
      const said = await outcome(token);
      expect(said).not.toBe('Accepted');
      return said === 'Refused' && performance.now() > revoked + FRESH_MS + 3_000;
    });
  });

  test('where the replica is cut off, and when it comes back', async () => {
    const token = await signIn();
    await untilProven();
    replica.cutOff();
    await command('revoke', '--user=ada');
    await untilNoYes(token, performance.now());
    expect(await replica.verify(token)).toMatchObject({ outcome: 'Undecided' });
    replica.mend();
    await waitUntil('it to know', DEADLINE_MS, async () => {
      const now = await outcome(token);
      expect(now).not.toBe('Accepted');
      return now === 'Refused';
    });
  });

  test('where the policy was switched off and on while the watches had stalled', async () => {
    const token = await signIn();
    await untilProven();
    replica.stallWatches();
    await latchkey.patch('tokenpolicy cluster', { spec: { enabled: false } });
    await latchkey.untilStatus('ada', ({ session }) => session === undefined);
    await latchkey.patch('tokenpolicy cluster', { spec: { enabled: true } });
    await untilNoYes(token, performance.now());
    await waitUntil('the refusal', DEADLINE_MS, async () => (await outcome(token)) === 'Refused');
  });

  test('where the keys were withdrawn while the watches had stalled, and the thief has the key', async () => {
    const token = await signIn();
    await untilProven();
    replica.stallWatches();
    await command('revoke', '--all', '--namespace=latchkey');
    await untilNoYes(token, performance.now());
    await waitUntil('the key to be unknown', DEADLINE_MS, async () => {
      const verdict = await replica.verify(token);
      expect(verdict.outcome).not.toBe('Accepted');
      return verdict.outcome === 'Refused' && verdict.reason === 'UnknownKey';
    });
  });
});

describe('the API server is asked in moderation', () => {
  test('a session that the replica has seen end costs nothing', async () => {
    const token = await signIn();
    await untilProven();
    await command('revoke', '--user=ada');
    await waitUntil('the refusal', DEADLINE_MS, async () => (await outcome(token)) === 'Refused');
    const before = asked('/users/ada');
    for (let times = 0; times < 50; times += 1) expect(await outcome(token)).toBe('Refused');
    expect(asked('/users/ada')).toBe(before);
  });

  test('one that ended before it came up is asked for once', async () => {
    const token = await signIn();
    await command('revoke', '--user=ada');
    await replica.stop();
    replica = await startVerifyingReplica(latchkey);
    for (let times = 0; times < 50; times += 1) expect(await outcome(token)).toBe('Refused');
    expect(asked('/users/ada')).toBe(1);
  });

  test('many at once with the same token share few questions', async () => {
    const token = await signIn();
    const verdicts = await Promise.all(Array.from({ length: 200 }, () => outcome(token)));
    expect(new Set(verdicts)).toEqual(new Set(['Accepted']));
    // One at a time, for all whose signatures are checked meanwhile; signatures are slow where others have the processor.
    expect(asked('/users/ada')).toBeLessThan(verdicts.length / 4);
  });

  test('what is no token of ours costs nothing', async () => {
    const token = await signIn();
    const { length } = replica.requests;
    const [head, , signature] = token.split('.');
    const claims = { ...decodeJwt(token), preferred_username: 'grace' };
    const forged = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
    for (const bad of ['', 'x', forged]) expect(await outcome(bad)).toBe('Refused');
    expect(replica.requests).toHaveLength(length);
  });
});
