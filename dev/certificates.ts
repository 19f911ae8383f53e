// Makes certificate authorities and certificates for the servers and clients of tests and demo.
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DevError } from './errors.ts';
import { installedProgram } from './installed-program.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 60_000;
const VALID_DAYS = 30;
const AUTHORITY = 'ca';

export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface CertificateRequest {
  /** The files' name in the authority's folder. */
  name: string;
  commonName: string;
  /** A Kubernetes client certificate's groups. */
  organizations?: readonly string[];
  /** The server's DNS names and IP addresses; a certificate without them is a client's. */
  hosts?: readonly string[];
}

export interface CertificateAuthority extends Certificate {
  issue(request: CertificateRequest): Promise<Certificate>;
}

/**
 * Makes an authority (P-256, 30 days) whose files lie in `folder`.
 * @throws DevError `PackageMissing` without openssl, `CertificateFailed` where it refuses (it must be 3.0 or later)
 */
export async function createAuthority(folder: string, commonName: string): Promise<CertificateAuthority> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await certify(folder, AUTHORITY, subjectOf(commonName, []), [
    'basicConstraints=critical,CA:TRUE',
    'keyUsage=critical,keyCertSign',
  ]);
  return authorityIn(folder);
}

/** The authority that `createAuthority` has made in that folder, or whose files were copied there. */
export function authorityIn(folder: string): CertificateAuthority {
  const authority = certificateIn(folder, AUTHORITY);
  return {
    ...authority,
    issue: ({ name, commonName: subject, organizations = [], hosts = [] }) => {
      const extensions = [
        'basicConstraints=critical,CA:FALSE',
        'keyUsage=critical,digitalSignature',
        `extendedKeyUsage=${hosts.length > 0 ? 'serverAuth' : 'clientAuth'}`,
      ];
      if (hosts.length > 0) extensions.push(`subjectAltName=${hosts.map(alternativeName).join(',')}`);
      return certify(folder, name, subjectOf(subject, organizations), extensions, authority);
    },
  };
}

/** The files of the certificate that was issued under that name. */
export function certificateIn(folder: string, name: string): Certificate {
  return { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
}

async function certify(
  folder: string,
  name: string,
  subject: string,
  extensions: readonly string[],
  issuer?: Certificate,
): Promise<Certificate> {
  const certificate = certificateIn(folder, name);
  const { certFile, keyFile } = certificate;
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile];
  const signer = issuer ? ['-CA', issuer.certFile, '-CAkey', issuer.keyFile] : [];
  await openssl([
    'req',
    '-x509',
    ...key,
    ...signer,
    '-utf8',
    '-subj',
    subject,
    '-days',
    String(VALID_DAYS),
    '-out',
    certFile,
    ...extensions.flatMap((extension) => ['-addext', extension]),
  ]);
  return certificate;
}

function subjectOf(commonName: string, organizations: readonly string[]): string {
  return [...organizations.map((name) => `/O=${escaped(name)}`), `/CN=${escaped(commonName)}`].join('');
}

// In the syntax of openssl's -subj, where / parts the fields and + joins two into one.
function escaped(value: string): string {
  return value.replace(/[\\/+]/g, String.raw`\$&`);
}

function alternativeName(host: string): string {
  return `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`;
}

async function openssl(args: readonly string[]): Promise<void> {
  try {
    // An empty configuration: the system's own would add extensions of its choice.
    const env = { ...process.env, OPENSSL_CONF: '/dev/null' };
    await run(installedProgram('openssl', 'openssl'), args, { env, timeout: TIMEOUT_MS });
  } catch (error) {
    if (error instanceof DevError) throw error;
    throw new DevError('CertificateFailed', 'openssl made no certificate: it must be version 3.0 or later', {
      cause: error,
    });
  }
}
