// Certificates are checked when they are read, and replaced while the server runs.
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createAuthority } from '../../dev/certificates.ts';
import type { Certificate as CertificateFile, CertificateAuthority } from '../../dev/certificates.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { waitUntil } from '../../dev/wait-until.ts';
import { CertificateError, certificateFromFiles, readCertificate } from '../../src/servers/certificate.ts';

const folder = temporaryFolder('latchkey-certificate');
const files = {
  certificateFile: join(folder.path, 'tls.crt'),
  keyFile: join(folder.path, 'tls.key'),
};
let authority: CertificateAuthority;
let first: CertificateFile;
let second: CertificateFile;

function install(cert: CertificateFile, key: CertificateFile = cert): void {
  copyFileSync(cert.certFile, files.certificateFile);
  copyFileSync(key.keyFile, files.keyFile);
}

beforeAll(async () => {
  authority = await createAuthority(join(folder.path, 'ca'), 'Latchkey test CA');
  first = await authority.issue({ name: 'first', commonName: 'first', hosts: ['localhost'] });
  second = await authority.issue({ name: 'second', commonName: 'second', hosts: ['localhost'] });
});
afterAll(() => folder.remove());
beforeEach(() => install(first));

describe('reading a certificate', () => {
  test('tells when it ends', async () => {
    const { expiresAt } = await readCertificate(files);
    const days = (expiresAt.getTime() - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(29);
    expect(days).toBeLessThan(31);
  });

  test('names the file that is not there', async () => {
    await expect(readCertificate({ ...files, keyFile: '/nowhere/tls.key' })).rejects.toMatchObject({
      code: 'CertificateUnreadable',
      message: expect.stringContaining('/nowhere/tls.key (ENOENT)'),
    });
  });

  test.each([
    ['a key of another certificate', () => install(first, second)],
    ['a certificate that is none', () => writeFileSync(files.certificateFile, 'not a certificate')],
    ['an empty key', () => writeFileSync(files.keyFile, '')],
  ])('refuses %s', async (_name, spoil) => {
    spoil();
    const reading = readCertificate(files);
    await expect(reading).rejects.toBeInstanceOf(CertificateError);
    await expect(reading).rejects.toMatchObject({ code: 'CertificateInvalid' });
  });
});

describe('watching a certificate', () => {
  test('brings a new one, keeps the old one over a broken one, and complains of it once', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
    const brought: { cert: string }[] = [];
    const source = await certificateFromFiles(files, log, 10);
    const stop = source.watch((fresh) => brought.push(fresh));
    const complaints = () => lines.filter((line) => line.includes('the old certificate stays in use')).length;

    install(first, second);
    await waitUntil('a complaint', 60_000, () => complaints() > 0);
    install(second);
    await waitUntil('the new certificate', 60_000, () => brought.length > 0);
    stop();

    expect(complaints()).toBe(1);
    const { cert } = await readCertificate(files);
    expect(brought.map((fresh) => fresh.cert)).toEqual([cert]);
    expect(source.current().cert).toBe(cert);
    expect(lines.join()).not.toContain('PRIVATE KEY');
  });

  test('looks no more once it is stopped', async () => {
    const brought: object[] = [];
    const source = await certificateFromFiles(files, pino({ level: 'silent' }), 10);
    const stop = source.watch((fresh) => brought.push(fresh));
    const seen: object[] = [];
    const stopOther = source.watch((fresh) => seen.push(fresh));
    stop();
    install(second);
    await waitUntil('the other watch to see it', 60_000, () => seen.length > 0);
    stopOther();
    expect(brought).toEqual([]);
  });
});
