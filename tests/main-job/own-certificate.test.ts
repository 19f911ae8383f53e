// Without certificate files Latchkey makes its own: the portal works with it, and an accident with it stops nothing else.
import { afterAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { askOnce } from '../../dev/ask-once.ts';
import { startOperator } from '../../dev/latchkey/operator.ts';
import { freePort } from '../../dev/ports.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { startLatchkey } from '../support/latchkey.ts';

const PASSWORD = 'correct horse battery staple';
const DEADLINE_MS = 60_000;
const SECRET = ['secret', 'latchkey-tls', '-n', 'latchkey'];
const latchkey = await startLatchkey({ accounts: { ada: PASSWORD }, ownCertificate: true });
afterAll(() => latchkey.stop());
const { kubectl } = latchkey;

/** As a client that trusts the ca.crt of that moment, and nothing else. */
async function isTrusted(portal: string, ca: string): Promise<boolean> {
  try {
    await askOnce(`${portal}/livez`, { ca });
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/CERT|SIGNATURE|ISSUER/) });
    return false;
  }
}

const authority = async () => {
  const data = await kubectl(['get', ...SECRET, '-o', 'jsonpath={.data.ca\\.crt}']);
  return Buffer.from(data, 'base64').toString();
};

test('who trusts its ca.crt signs in and gets a token', async () => {
  await latchkey.createUser('ada');
  await latchkey.untilStatus('ada', ({ phase }) => phase === 'Pending');
  expect(readFileSync(latchkey.operator.caFile, 'utf8')).toBe(await authority());
  expect((await latchkey.signIn('ada', PASSWORD)).status).toBe(303);
  await latchkey.untilToken('ada');
});

test('every replica shows the same, and takes up a new one without a restart', async () => {
  const other = await startOperator(latchkey.cluster, { ownCertificate: true });
  const portals = [latchkey.operator.portal, other.portal];
  const before = await authority();
  for (const portal of portals) expect(await isTrusted(portal, before)).toBe(true);

  await kubectl(['delete', ...SECRET]);
  const after = await waitUntil('the leader to make a new one', DEADLINE_MS, async () => {
    const ca = await authority().catch(() => '');
    return ca !== '' && ca !== before && ca;
  });
  for (const portal of portals) {
    await waitUntil('the new one to be shown', DEADLINE_MS, () => isTrusted(portal, after));
    expect(await isTrusted(portal, before)).toBe(false);
  }
  await other.stop();
  other.remove();
});

test('a damaged one keeps a replica that starts out of the Service, says so, and stops no token', async () => {
  await latchkey.operator.stop();
  latchkey.operator.remove();
  const patch = JSON.stringify({ stringData: { 'tls.crt': 'damaged' } });
  await kubectl(['patch', ...SECRET, '--type=merge', '-p', patch]);
  const port = await freePort();
  const starting = startOperator(latchkey.cluster, { ownCertificate: true, port });

  // As the kubelet asks: it verifies no certificate.
  const probe = async (path: string) => {
    const { status, text } = await askOnce(`https://127.0.0.1:${port}${path}`, { ca: undefined });
    return `${status} ${text}`;
  };
  await waitUntil('the probes to tell', DEADLINE_MS, async (see) => {
    const answer = await probe('/readyz').catch(String);
    see(answer);
    return answer === '503 failed: certificate\n';
  });
  expect(await probe('/livez')).toBe('200 ok\n');
  await latchkey.createUser('bob');
  await latchkey.untilStatus('bob', ({ phase }) => phase === 'Pending');

  await kubectl(['delete', ...SECRET]);
  latchkey.operator = await starting;
  expect(latchkey.operator.log()).toContain('ServingCertificateDamaged');
  expect(latchkey.operator.log()).not.toContain('PRIVATE KEY');
});
