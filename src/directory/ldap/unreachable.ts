// Says in a sentence why a directory gave no answer.
import { types } from 'node:util';
import { DirectoryError } from '../directory.ts';
import { StartTlsRefused } from './connection.ts';

const UNTRUSTED =
  'its certificate is of an authority that is not trusted: set caPem to the certificate of the right one';

const SENTENCES = new Map([
  ['ECONNREFUSED', 'nothing listens there: check url, and whether the directory is up'],
  ['ENOTFOUND', 'its host name is unknown: check url'],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'its certificate names another host: put a name of the certificate into url',
  ],
  ['CERT_HAS_EXPIRED', 'its certificate has expired: renew it'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNTRUSTED],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNTRUSTED],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNTRUSTED],
]);

/** Turns whatever broke a conversation into the error that callers know; one that is that already passes. */
export function unreachable(url: string, error: unknown): DirectoryError {
  if (error instanceof DirectoryError) return error;
  return new DirectoryError(
    'DirectoryUnreachable',
    `No answer from the directory ${url}: ${sentence(error)}.`,
    {
      cause: error,
    },
  );
}

function sentence(error: unknown): string {
  if (!types.isNativeError(error)) return 'an unknown fault';
  if (error instanceof StartTlsRefused) return `${error.message}: turn it on there, or use ldaps://`;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return (code && (SENTENCES.get(code) ?? code)) || error.message;
}
