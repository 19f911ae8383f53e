// Real replicas, each behind a fault proxy of its own, asked as verifiers ask them: never a yes for somebody revoked meanwhile.
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { latchkeyCommand } from '../../dev/latchkey/command.ts';
import { startOperator, type Operator } from '../../dev/latchkey/operator.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { FRESH_MS } from '../../src/kubernetes/freshness.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { startFaultProxy, type FaultProxy } from './proxy/fault-proxy.ts';

const PASSWORD = 'correct horse battery staple';
const HOUR_MS = 3_600_000;
const DEADLINE_MS = 60_000;
/** It says that it is cut off 15 s after the first proof that did not come; a busy machine takes longer. */
const NOTICED_MS = 60_000;

const latchkey = await startLatchkey({ accounts: { ada: PASSWORD, grace: PASSWORD } });
const command = latchkeyCommand(latchkey.cluster.adminKubeconfig);
let callerToken: string;

/** One that only verifies what the other operator, which leads, has signed. */
interface Verifier {
  readonly proxy: FaultProxy;
  readonly replica: Operator;
  readonly dispatcher: Agent;
}
/** Two, so that two faults are waited for side by side. */
const verifiers: Verifier[] = [];

async function startVerifier(): Promise<void> {
  const proxy = await startFaultProxy(latchkey.cluster);
  const replica = await startOperator(
    { ...latchkey.cluster, url: proxy.url, caFile: proxy.caFile },
    { flags: [`--issuer-url=${latchkey.operator.portal}`] },
  );
  verifiers.push({
    proxy,
    replica,
    dispatcher: new Agent({ connect: { ca: readFileSync(replica.caFile) } }),
  });
}

beforeAll(async () => {
  await Promise.all([startVerifier(), startVerifier()]);
  callerToken = (await command('callers', 'add', 'verifier', '--namespace=latchkey')).trim();
  for (const name of ['ada', 'grace']) await latchkey.createUser(name);
});
afterAll(async () => {
  for (const { proxy, replica, dispatcher } of verifiers) {
    await dispatcher.close();
    await replica.stop();
    replica.remove();
    await proxy.close();
  }
  await latchkey.stop();
});
afterEach(async () => {
  for (const { proxy } of verifiers) {
    proxy.lagMs.clear();
    proxy.onLine = () => undefined;
    proxy.flow();
    proxy.mend();
  }
  for (const verifier of verifiers) await untilReady(verifier, '200 ok');
}, 2 * NOTICED_MS);

/** `unknown` is a no that says nothing of the token. */
type Said = 'yes' | 'no' | 'unknown';

async function post({ replica, dispatcher }: Verifier, path: string, type: string, body: string) {
  const headers = { authorization: `Bearer ${callerToken}`, 'content-type': type };
  const answer = await request(replica.portal + path, { dispatcher, method: 'POST', headers, body });
  return { status: answer.statusCode, text: await answer.body.text() };
}

async function reviewed(verifier: Verifier, token: string): Promise<Said> {
  const spec = { token, audiences: ['latchkey'] };
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec };
  const { status, text } = await post(verifier, '/token-review', 'application/json', JSON.stringify(review));
  // Whether the caller may ask is not known either.
  if (status === 503) return 'unknown';
  expect(status).toBe(200);
  const { authenticated, error } = JSON.parse(text).status;
  if (authenticated) return 'yes';
  return error === 'the token is not valid' ? 'no' : 'unknown';
}

async function introspected(verifier: Verifier, token: string): Promise<Said> {
  const form = new URLSearchParams({ token }).toString();
  const { status, text } = await post(verifier, '/introspect', 'application/x-www-form-urlencoded', form);
  if (status === 503) return 'unknown';
  expect(status).toBe(200);
  return JSON.parse(text).active ? 'yes' : 'no';
}

const both = (verifier: Verifier, token: string) =>
  Promise.all([reviewed(verifier, token), introspected(verifier, token)]);
const untilBoth = (verifier: Verifier, what: Said, token: string, withinMs: number) =>
  waitUntil(`${what} from both`, withinMs, async () =>
    (await both(verifier, token)).every((said) => said === what),
  );
const untilReady = ({ replica, dispatcher }: Verifier, expected: string) =>
  waitUntil(`/readyz to say ${expected}`, NOTICED_MS, async () => {
    const { statusCode, body } = await request(`${replica.portal}/readyz`, { dispatcher });
    return `${statusCode} ${(await body.text()).trim()}` === expected;
  });

async function signIn(name: string, ...known: readonly Verifier[]): Promise<string> {
  await latchkey.untilStatus(name, ({ phase }) => phase === 'Pending' || phase === 'Active');
  expect((await latchkey.signIn(name, PASSWORD)).status).toBe(303);
  const { token } = await latchkey.untilToken(name);
  for (const verifier of known) await untilBoth(verifier, 'yes', token, DEADLINE_MS);
  return token;
}

/** From some moment on, never a yes, for longer than any proof lasts. */
async function neverAgain(verifier: Verifier, token: string): Promise<void> {
  const until = performance.now() + FRESH_MS + 3_000;
  await waitUntil('some time to pass', 60_000, async () => {
    expect(await both(verifier, token)).not.toContain('yes');
    return performance.now() > until;
  });
}
const untilNoYes = (verifier: Verifier, token: string) =>
  waitUntil('no yes any more', FRESH_MS + 3_000, async () => !(await both(verifier, token)).includes('yes'));

const REVOCATIONS: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['an admin ends the session', () => command('revoke', '--user=ada')],
  ['the policy is switched off and on', async () => {
    await latchkey.patch('tokenpolicy cluster', { spec: { enabled: false } });
    await latchkey.untilStatus('ada', ({ session }) => session === undefined);
    await latchkey.patch('tokenpolicy cluster', { spec: { enabled: true } });
  }],
]; // prettier-ignore

describe.each(REVOCATIONS)('when %s', (_, revoke) => {
  test('a replica whose watches have stalled says no within the age of a proof, and for good; so does one whose watches lag by an hour, which says that it is cut off, and knows those who sign in', async () => {
    const [stalled, lagging] = verifiers as [Verifier, Verifier];
    const token = await signIn('ada', stalled, lagging);
    for (const resource of ['users', 'tokenpolicies']) {
      expect(stalled.proxy.stall(resource)).toBeGreaterThan(0);
      lagging.proxy.lagMs.set(resource, HOUR_MS);
    }
    await revoke();
    await Promise.all(
      verifiers.map(async (verifier) => {
        await untilNoYes(verifier, token);
        await neverAgain(verifier, token);
      }),
    );
    await untilBoth(stalled, 'no', token, DEADLINE_MS);
    // What it reads live is current.
    await signIn('ada', lagging);
    expect(await both(lagging, token)).toEqual(['no', 'no']);
    await untilReady(lagging, '503 failed: api-server');
  });
});

test('one whose watches come back after so long that their history is gone lists, and says no; one that is cut off says that it cannot tell, to everybody, and is not ready, and then it knows', async () => {
  const [late, cutOff] = verifiers as [Verifier, Verifier];
  const [ada, grace] = [await signIn('ada', late, cutOff), await signIn('grace', cutOff)];
  for (const resource of ['users', 'tokenpolicies']) expect(late.proxy.stall(resource)).toBeGreaterThan(0);
  const before = late.proxy.met.get('Expire') ?? 0;
  cutOff.proxy.cut();
  await command('revoke', '--user=ada');
  await Promise.all([isLate(), isCutOff()]);

  async function isLate(): Promise<void> {
    // The next line that any watch of these would tell is that it has expired.
    const expired = new Set<string>();
    late.proxy.onLine = ({ resource }) => {
      if (!['users', 'tokenpolicies'].includes(resource) || expired.has(resource)) return undefined;
      expired.add(resource);
      return { do: 'Expire' };
    };
    late.proxy.flow();
    await untilNoYes(late, ada);
    await neverAgain(late, ada);
    await untilBoth(late, 'no', ada, DEADLINE_MS);
    expect(late.proxy.met.get('Expire') ?? 0).toBeGreaterThan(before);
  }

  async function isCutOff(): Promise<void> {
    await waitUntil('nothing to be known', FRESH_MS + 10_000, async () => {
      const said = [...(await both(cutOff, ada)), ...(await both(cutOff, grace))];
      return said.every((one) => one === 'unknown');
    });
    await untilReady(cutOff, '503 failed: api-server, signing-keys, callers');
    expect(await both(cutOff, ada)).toEqual(['unknown', 'unknown']);
    cutOff.proxy.mend();
    await waitUntil('it to know', DEADLINE_MS, async () => {
      const said = await both(cutOff, ada);
      expect(said).not.toContain('yes');
      return said.every((one) => one === 'no');
    });
    await untilBoth(cutOff, 'yes', grace, DEADLINE_MS);
  }
});
