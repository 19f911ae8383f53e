// Reads the server's certificate and key, and notices when their files change.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import { foreignCode, LatchkeyError } from '../errors.ts';

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
    throw new CertificateError(
      'CertificateUnreadable',
      `Cannot read ${path}${foreignCode(error)}: check the path and that this process may read it.`,
      { cause: error },
    );
  }
}

/** Where a server takes its certificate from. */
export interface CertificateSource {
  current(): Pick<Certificate, 'cert' | 'key'>;
  /** Calls `onChange` with each new one that TLS can use. @returns what stops that */
  watch(onChange: (fresh: Pick<Certificate, 'cert' | 'key'>) => void): () => void;
}

/** How often the files are read. */
const POLL_MS = 10_000;

/**
 * Reads the content instead of watching the files: a Secret's volume changes by a swap of symbolic links, which file
 * watchers miss. A certificate that cannot be used is logged once and changes nothing; the files may also just have
 * been read in the middle of a swap.
 * @throws {CertificateError} where the files cannot be used at the start
 */
export async function certificateFromFiles(
  files: CertificateFiles,
  log: Logger,
  pollMs = POLL_MS,
): Promise<CertificateSource> {
  let known = await readCertificate(files);
  let problem: string | undefined;

  async function fresh(): Promise<Certificate> {
    try {
      known = await readCertificate(files);
      problem = undefined;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== problem) log.error({ err: error }, 'the old certificate stays in use');
      problem = message;
    }
    return known;
  }

  return {
    current: () => known,
    watch(onChange) {
      let seen = known;
      let stopped = false;
      let timer: NodeJS.Timeout;
      const look = async () => {
        const latest = await fresh();
        if (stopped) return;
        if (latest.cert !== seen.cert || latest.key !== seen.key) {
          seen = latest;
          onChange(latest);
          log.info({ expiresAt: latest.expiresAt }, 'certificate reloaded');
        }
        schedule();
      };
      const schedule = () => {
        timer = setTimeout(() => void look(), pollMs).unref();
      };
      schedule();
      return () => {
        stopped = true;
        clearTimeout(timer);
      };
    },
  };
}
