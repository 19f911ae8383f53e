// Broken, silent and hostile connections: never a verdict, and never a password in clear text.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAuthority } from '../../../dev/certificates.ts';
import type { CertificateAuthority } from '../../../dev/certificates.ts';
import { freePort } from '../../../dev/ports.ts';
import { temporaryFolder } from '../../../dev/temporary-folder.ts';
import { afterTest } from '../../support/after-test.ts';
import { directoryErrorOf } from '../support/directory-error.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { ADA_PASSWORD, startTestDirectory } from '../support/openldap.ts';
import type { TestDirectory } from '../support/openldap.ts';
import { startProxy } from '../support/proxy.ts';
import { startBareSlapd } from '../support/bare-slapd.ts';

const folder = temporaryFolder('latchkey-connection-test');
let ldap: TestDirectory;
let otherAuthority: CertificateAuthority;
let secrets: string[];

beforeAll(async () => {
  ldap = await startTestDirectory();
  otherAuthority = await createAuthority(join(folder.path, 'pki'), 'another CA');
  secrets = [ADA_PASSWORD, ldap.server.bindPassword];
});

afterAll(async () => {
  await ldap.stop();
  folder.remove();
});

describe('a directory is unreachable', () => {
  test('when nothing listens there', async () => {
    const directory = ldap.directory({ url: `ldaps://127.0.0.1:${await freePort()}` });
    const error = await directoryErrorOf(directory.verify('ada', ADA_PASSWORD), secrets);
    expect(error.code).toBe('DirectoryUnreachable');
    expect(error.message).toMatch(/nothing listens there: check url/);
  });

  test('when its certificate is of another authority', async () => {
    const directory = ldap.directory({ caPem: readFileSync(otherAuthority.certFile, 'utf8') });
    const error = await directoryErrorOf(directory.verify('ada', ADA_PASSWORD), secrets);
    expect(error.code).toBe('DirectoryUnreachable');
    expect(error.message).toMatch(/an authority that is not trusted: set caPem/);
  });

  test.each([
    ['LDAPS', 'ldaps', false],
    ['StartTLS', 'ldap', true],
  ])('when its certificate names another host, over %s', async (_name, scheme, startTls) => {
    const proxy = await startProxy({ to: startTls ? ldap.port : ldap.tlsPort, host: '127.0.0.2' });
    const directory = ldap.directory({ url: `${scheme}://127.0.0.2:${proxy.port}`, startTls });
    const error = await directoryErrorOf(directory.verify('ada', ADA_PASSWORD), secrets);
    expect(error.code).toBe('DirectoryUnreachable');
    expect(error.message).toMatch(/its certificate names another host/);
  });

  // A real server cannot be made to accept a connection and say nothing.
  test.each([
    ['the TLS handshake', 'ldaps', false, false],
    ['StartTLS', 'ldap', true, false],
    ['a bind', 'ldaps', false, true],
  ])('when it never answers to %s', async (_name, scheme, startTls, speaksTls) => {
    const server = await startFakeServer(undefined, speaksTls ? await otherTls() : undefined);
    const directory = ldap.directory({
      url: `${scheme}://127.0.0.1:${server.port}`,
      startTls,
      caPem: readFileSync(otherAuthority.certFile, 'utf8'),
      // In which a busy machine shakes hands.
      timeoutMs: 1_500,
    });
    const startedAt = performance.now();
    const error = await directoryErrorOf(directory.verify('ada', ADA_PASSWORD), secrets);
    // Not the 5 s that are the default.
    expect(performance.now() - startedAt).toBeLessThan(4_500);
    expect(server.received().length).toBeGreaterThan(0);
    expect(error.code).toBe('DirectoryUnreachable');
    expect(error.message).toMatch(/it took longer than 1500 ms/);
  });

  test('when the password of bindDN cannot be had in time', async () => {
    const directory = ldap.directory({ bindPassword: () => new Promise(() => undefined), timeoutMs: 300 });
    const error = await directoryErrorOf(directory.verify('ada', ADA_PASSWORD), secrets);
    expect(error.code).toBe('DirectoryUnreachable');
  });

  test('when it is closed in the middle of a conversation', async () => {
    const server = await startFakeServer(undefined);
    const directory = ldap.directory({ url: `ldaps://127.0.0.1:${server.port}` });
    const attempt = directoryErrorOf(directory.verify('ada', ADA_PASSWORD), secrets);
    await directory.close();
    expect((await attempt).message).toMatch(/shutting down/);
  });

  test.each([
    ['before the handshake is done', 1, 1],
    ['when the service account binds', 1, 2],
    ['between the search and the bind', 2, 1],
    ['when the user binds', 2, 2],
  ])('when the server is killed %s', async (_name, atConnection, atChunk) => {
    const victim = await startTestDirectory();
    afterTest(() => victim.stop());
    const proxy = await startProxy({
      to: victim.tlsPort,
      beforePassing: async (connection, chunk) => {
        if (connection === atConnection && chunk === atChunk) await victim.server.stop();
      },
    });
    const directory = victim.directory({ url: `ldaps://127.0.0.1:${proxy.port}` });
    const error = await directoryErrorOf(directory.verify('ada', ADA_PASSWORD), secrets);
    expect(proxy.connections()).toBe(atConnection);
    expect(error.code).toBe('DirectoryUnreachable');
    expect(error.message).not.toMatch(/took longer/);
  });

  // No real server sends these.
  test.each([
    ['a bind response without a result', '30050201026100'],
    ['the end of a search in place of a bind response', '300c02010265070a010004000400'],
    ['a success for another request', '300c02010361070a010004000400'],
    [
      'a notice of disconnection',
      '3024020100781f0a0134040004008a16312e332e362e312e342e312e313436362e3230303336',
    ],
    ['a success and then another', '300c02010261070a010004000400300c02010261070a010004000400'],
    ['a result of five bytes', '3010020102610b0a05000000000004000400'],
    ['a success with a broken control', '301502010261070a010004000400a0073005040131ff05'],
    ['no LDAP', '485454502f312e3120343030'],
    ['the beginning of an endless message', '30847fffffff'.padEnd(2000, '00')],
    ['busy', '300c02010261070a013304000400'],
    ['other', '300c02010261070a015004000400'],
  ])('when it answers a bind with %s', async (_name, hex) => {
    const server = await startFakeServer(Buffer.from(hex, 'hex'), await otherTls());
    const directory = ldap.directory({
      url: `ldaps://127.0.0.1:${server.port}`,
      caPem: readFileSync(otherAuthority.certFile, 'utf8'),
      timeoutMs: 10_000,
    });
    // No name that the random password of the bind may contain.
    const error = await directoryErrorOf(directory.verify('whoever-signs-in', ADA_PASSWORD), secrets);
    expect(error.code).toBe('DirectoryUnreachable');
    // The bind was not believed: no search follows.
    expect(server.received().includes('whoever-signs-in')).toBe(false);
    expect(error.message).not.toMatch(/took longer/);
  });
});

describe('no password goes over the wire in clear text', () => {
  test('with StartTLS', async () => {
    const proxy = await startProxy({ to: ldap.port });
    const directory = ldap.directory({ url: `ldap://127.0.0.1:${proxy.port}`, startTls: true });
    expect(await directory.verify('ada', ADA_PASSWORD)).toMatchObject({ outcome: 'Accepted' });
    expectNoSecretIn(proxy.sent());
  });

  test('when the server refuses StartTLS', async () => {
    const proxy = await startProxy({ to: await startBareSlapd() });
    const directory = ldap.directory({ url: `ldap://127.0.0.1:${proxy.port}`, startTls: true });
    const error = await directoryErrorOf(directory.verify('ada', ADA_PASSWORD), secrets);
    expect(error.code).toBe('DirectoryUnreachable');
    expect(error.message).toMatch(/it refuses StartTLS \(LDAP result \d+\): turn it on there, or use ldaps/);
    expectNoSecretIn(proxy.sent());
    // The request, and nothing after it.
    expect(proxy.sent().toString('hex')).toBe(startTlsRequest());
  });

  // Somebody in the middle; a real server does not do this.
  test.each([
    ['a bind response', '300c02010261070a010004000400'],
    ['the beginning of one, for the server to complete', '303c02010261370a0100040004'],
  ])('when somebody slips %s in behind the consent to StartTLS', async (_name, injected) => {
    const server = await startFakeServer(Buffer.from(`300c02010178070a010004000400${injected}`, 'hex'));
    const directory = ldap.directory({ url: `ldap://127.0.0.1:${server.port}`, startTls: true });
    const error = await directoryErrorOf(directory.verify('ada', ADA_PASSWORD), secrets);
    expect(error.code).toBe('DirectoryUnreachable');
    expect(error.message).toMatch(/it sent more than an answer/);
    expect(server.received().toString('hex')).toBe(startTlsRequest());
  });
});

function startTlsRequest(): string {
  const oid = Buffer.from('1.3.6.1.4.1.1466.20037').toString('hex');
  return `301d02010177188016${oid}`;
}

function expectNoSecretIn(bytes: Buffer): void {
  expect(bytes.length).toBeGreaterThan(0);
  for (const secret of secrets) expect(bytes.includes(secret)).toBe(false);
}

async function otherTls(): Promise<{ cert: Buffer; key: Buffer }> {
  const { certFile, keyFile } = await otherAuthority.issue({
    name: 'fake',
    commonName: 'fake',
    hosts: ['127.0.0.1'],
  });
  return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
}
