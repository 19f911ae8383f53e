// The certificate that Latchkey makes for itself: what it is for, when it is renewed, and that clients notice nothing.
import { expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { installedProgram } from '../../dev/installed-program.ts';
import { runProgram } from '../../dev/run-program.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import {
  AUTHORITY_MS,
  CERTIFICATE_MS,
  newServingCertificate,
  renewalDueAt,
  renewed,
  RENEW_BEFORE_MS,
  type ServingCertificate,
} from '../../src/tls/serving-certificate.ts';
import { privatePem } from '../../src/tls/serving-document.ts';

const HOSTS = ['latchkey.latchkey.svc', 'latchkey.example.org', '127.0.0.1', '::1'];
const NOW = new Date('2026-03-01T12:00:00Z');
const later = (ms: number, from = NOW) => new Date(from.getTime() + ms);
const DAY_MS = 86_400_000;

const leaf = ({ serving }: ServingCertificate) => new X509Certificate(serving.certificate);

/** What OpenSSL says, as strict as it can be, at a moment of our choice. */
async function opensslVerify(serving: ServingCertificate, trusted: string, at: Date, host: string[]) {
  const folder = temporaryFolder('latchkey-tls');
  const [ca, certificate] = ['ca.crt', 'tls.crt'].map((name) => join(folder.path, name)) as [string, string];
  writeFileSync(ca, trusted);
  writeFileSync(certificate, serving.serving.certificate);
  try {
    return await runProgram({
      command: installedProgram('openssl', 'openssl'),
      args: ['verify', '-x509_strict', '-purpose', 'sslserver', '-attime', String(Math.floor(at.getTime() / 1000)), ...host, '-CAfile', ca, certificate],
      timeoutMs: 10_000,
    }); // prettier-ignore
  } finally {
    folder.remove();
  }
}

test('OpenSSL takes it, as strict as it can be, for each of its names and for no other', async () => {
  const made = await newServingCertificate(HOSTS, NOW);
  const trusted = made.trusted.join('');
  for (const host of [
    ['-verify_hostname', 'latchkey.latchkey.svc'],
    ['-verify_hostname', 'latchkey.example.org'],
    ['-verify_ip', '127.0.0.1'],
    ['-verify_ip', '::1'],
  ])
    expect(await opensslVerify(made, trusted, NOW, host)).toContain('OK');
  for (const host of [
    ['-verify_hostname', 'example.org'],
    ['-verify_hostname', 'Latchkey'],
    ['-verify_ip', '127.0.0.2'],
  ])
    await expect(opensslVerify(made, trusted, NOW, host)).rejects.toThrow(/mismatch/);
  await expect(opensslVerify(made, trusted, later(CERTIFICATE_MS + 1_000), [])).rejects.toThrow(/expired/);
});

test('a certificate cannot sign others, and an authority no authorities', async () => {
  const { serving, authority } = await newServingCertificate(HOSTS, NOW);
  expect(new X509Certificate(serving.certificate).ca).toBe(false);
  const parsed = new X509Certificate(authority.certificate);
  expect(parsed.ca).toBe(true);
  expect(parsed.toLegacyObject()).toMatchObject({ ca: true });
});

test('it is due a month before it ends, and at once where it is for other names', async () => {
  const made = await newServingCertificate(HOSTS, NOW);
  expect(renewalDueAt(made, HOSTS)).toEqual(later(CERTIFICATE_MS - RENEW_BEFORE_MS));
  expect(renewalDueAt(made, HOSTS.toReversed())).toEqual(renewalDueAt(made, HOSTS));
  for (const hosts of [HOSTS.slice(1), [...HOSTS, 'more.example.org'], ['x', ...HOSTS.slice(1)]])
    expect(renewalDueAt(made, hosts)).toEqual(new Date(0));
});

test.each([
  ['2001:db8::1', '2001:0db8:0000:0000:0000:0000:0000:0001'],
  ['xn--bcher-kva.example.org', 'xn--bcher-kva.example.org'],
  ['under_score.example.org', 'under_score.example.org'],
  ['localhost', 'LOCALHOST'],
])('a certificate for %s is not renewed for ever', async (host, again) => {
  const made = await newServingCertificate([host], NOW);
  expect(renewalDueAt(made, [host])).not.toEqual(new Date(0));
  expect(renewalDueAt(made, [again])).not.toEqual(new Date(0));
});

test('a renewal keeps the authority, so that clients notice nothing', async () => {
  const first = await newServingCertificate(HOSTS, NOW);
  const at = renewalDueAt(first, HOSTS);
  const second = await renewed(first, HOSTS, at);
  expect(second.trusted).toEqual(first.trusted);
  expect(leaf(second).fingerprint256).not.toBe(leaf(first).fingerprint256);
  expect(privatePem(second.serving)).not.toBe(privatePem(first.serving));
  expect(await opensslVerify(second, first.trusted.join(''), at, [])).toContain('OK');
});

/** Whether a client with that copy of ca.crt takes what the server shows. */
function trusts(copy: readonly string[], made: ServingCertificate, at: Date): boolean {
  const shown = leaf(made);
  const holds = (certificate: X509Certificate) =>
    certificate.validFromDate <= at && at <= certificate.validToDate;
  return copy
    .map((pem) => new X509Certificate(pem))
    .some((authority) => holds(authority) && holds(shown) && shown.verify(authority.publicKey));
}

test('over forty years of renewals, who reads ca.crt once a month trusts the server all the time', async () => {
  let made = await newServingCertificate(HOSTS, NOW);
  let copy = made.trusted;
  const authorities = new Set(copy);
  for (let day = 0; day < 40 * 365; day += 30) {
    const at = later(day * DAY_MS);
    // The renewal comes just before the client reads: it still has the copy of a month ago.
    if (renewalDueAt(made, HOSTS) <= at) made = await renewed(made, HOSTS, at);
    expect({ at, trusts: trusts(copy, made, at) }).toEqual({ at, trusts: true });
    copy = made.trusted;
    for (const pem of copy) authorities.add(pem);
    expect(copy.length).toBeLessThanOrEqual(2);
  }
  expect(authorities.size).toBe(5);
  // RFC 5280, section 4.1.2.5: from 2050 on, times are written in another way.
  const end = later(40 * 365 * DAY_MS);
  expect(await opensslVerify(made, made.trusted.join(''), end, ['-verify_ip', '::1'])).toContain('OK');
});

test('an authority that has nearly ended while no leader was there is replaced at once, and stays trusted to its end', async () => {
  const first = await newServingCertificate(HOSTS, NOW);
  const late = later(AUTHORITY_MS - CERTIFICATE_MS + DAY_MS);
  const second = await renewed(first, HOSTS, late);
  expect(second.trusted).toHaveLength(2);
  expect(await opensslVerify(second, second.trusted.join(''), late, [])).toContain('OK');
  await expect(opensslVerify(second, first.trusted.join(''), late, [])).rejects.toThrow();
  const third = await renewed(second, HOSTS, later(AUTHORITY_MS + DAY_MS));
  expect(third.trusted).toEqual([second.authority.certificate]);
});

test('Node serves with it', async () => {
  const made = await newServingCertificate(['localhost'], new Date());
  const server = createServer({ cert: made.serving.certificate, key: privatePem(made.serving) }).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: [...made.trusted] });
  await once(client, 'secureConnect');
  expect(client.authorized).toBe(true);
  client.destroy();
  server.close();
});
