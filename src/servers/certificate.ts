// Reads the server's certificate and key, and notices when their files change.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import { LatchkeyError } from '../errors.ts';

/** PEM files: a certificate with its chain, and its unencrypted private key. */
export interface CertificateFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** What the files held, checked to fit together. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly expiresAt: Date;
}

/** `CertificateUnreadable`: a file cannot be read. `CertificateInvalid`: it can, and TLS cannot use it. */
export class CertificateError extends LatchkeyError<'CertificateUnreadable' | 'CertificateInvalid'> {}

/**
 * Reads both files and checks that they belong together.
 * @throws {CertificateError}
 */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  const [cert, key] = await Promise.all([readPem(files.certificateFile), readPem(files.keyFile)]);
  try {
    const leaf = new X509Certificate(cert);
    // Not left to TLS: it takes an empty key for none at all, and then fails every handshake.
    if (!leaf.checkPrivateKey(createPrivateKey(key))) throw new Error('the key is of another certificate');
    createSecureContext({ cert, key });
    return { cert, key, expiresAt: new Date(leaf.validTo) };
  } catch (error) {
    throw new CertificateError(
      'CertificateInvalid',
      `TLS cannot use ${files.certificateFile} with ${files.keyFile}: put a PEM certificate there, followed by ` +
        'its chain, and the unencrypted private key that belongs to it.',
      { cause: error },
    );
  }
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const why = typeof error === 'object' && error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new CertificateError(
      'CertificateUnreadable',
      `Cannot read ${path}${why}: check the path and that this process may read it.`,
      { cause: error },
    );
  }
}

/**
 * Calls `onChange` with each new certificate. Reads the content instead of watching the files: a Secret's volume
 * changes by a swap of symbolic links, which file watchers miss. A certificate that cannot be used is logged once
 * and changes nothing; the files may also just have been read in the middle of a swap.
 * @returns what stops the watch
 */
export function watchCertificate(
  files: CertificateFiles,
  current: Certificate,
  onChange: (fresh: Certificate) => void,
  log: Logger,
  intervalMs: number,
): () => void {
  let known = current;
  let problem: string | undefined;
  let timer: NodeJS.Timeout;
  let stopped = false;

  async function look(): Promise<void> {
    try {
      const fresh = await readCertificate(files);
      problem = undefined;
      if (!stopped && (fresh.cert !== known.cert || fresh.key !== known.key)) {
        known = fresh;
        onChange(fresh);
        log.info({ expiresAt: fresh.expiresAt }, 'certificate reloaded');
      }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== problem) log.error({ err: error }, 'the old certificate stays in use');
      problem = message;
    }
    if (!stopped) schedule();
  }

  function schedule(): void {
    timer = setTimeout(() => void look(), intervalMs).unref();
  }

  schedule();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
