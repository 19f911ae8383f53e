// Says in a sentence, and in a word, why a directory gave no answer.
import { types } from 'node:util';
import { DirectoryError } from '../directory.ts';
import { FaultyAnswer } from '../fault.ts';
import type { DirectoryFault } from '../fault.ts';
import { StartTlsRefused } from './connection.ts';

type Explanation = readonly [DirectoryFault, string];

const UNTRUSTED: Explanation = [
  'CertificateUntrusted',
  'its certificate is of an authority that is not trusted: set caPem to the certificate of the right one',
];

const EXPLANATIONS = new Map<string, Explanation>([
  ['ECONNREFUSED', ['NotThere', 'nothing listens there: check url, and whether the directory is up']],
  ['ENOTFOUND', ['NotThere', 'its host name is unknown: check url']],
  ['ECONNRESET', ['CutOff', 'it broke off the connection: look into its log']],
  ['EPIPE', ['CutOff', 'it broke off the connection: look into its log']],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    [
      'CertificateOfAnotherHost',
      'its certificate names another host: put a name of the certificate into url',
    ],
  ],
  ['CERT_HAS_EXPIRED', ['CertificateExpired', 'its certificate has expired: renew it']],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNTRUSTED],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNTRUSTED],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNTRUSTED],
]);

/** Turns whatever broke a conversation into the error that callers know; one that is that already passes. */
export function unreachable(url: string, error: unknown): DirectoryError {
  if (error instanceof DirectoryError) return error;
  const [fault, sentence] = explanationOf(error);
  return new DirectoryError('DirectoryUnreachable', `No answer from the directory ${url}: ${sentence}.`, {
    cause: error,
    fault,
  });
}

function explanationOf(error: unknown): Explanation {
  if (!types.isNativeError(error)) return ['Other', 'an unknown fault'];
  if (error instanceof StartTlsRefused)
    return [error.fault, `${error.message}: turn it on there, or use ldaps://`];
  if (error instanceof FaultyAnswer) return [error.fault, error.message];
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return (code !== undefined && EXPLANATIONS.get(code)) || ['Other', code ?? error.message];
}
