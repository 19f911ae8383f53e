// The certificate of the HTTPS server as it lies in the data of its Secret, and the checks that it passes on its way back.
import { createPrivateKey, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { LatchkeyError } from '../errors.ts';
import type { Issued, KeyPair, ServingCertificate } from './serving-certificate.ts';

/** The first two are those of a Secret of type kubernetes.io/tls; cert-manager has the third, too. */
const CERTIFICATE = 'tls.crt';
const KEY = 'tls.key';
const AUTHORITIES = 'ca.crt';
const AUTHORITY_KEY = 'ca.key';

/** `ServingCertificateDamaged`: what lies in the Secret cannot be used. */
export class ServingCertificateError extends LatchkeyError<'ServingCertificateDamaged'> {}

/** @returns the `data` of the Secret */
export function serialiseServing({
  serving,
  authority,
  trusted,
}: ServingCertificate): Record<string, string> {
  const text = {
    [CERTIFICATE]: serving.certificate,
    [KEY]: privatePem(serving),
    [AUTHORITIES]: trusted.join(''),
    [AUTHORITY_KEY]: privatePem(authority),
  };
  return Object.fromEntries(
    Object.entries(text).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  );
}

/** In PKCS #8 and PEM, as TLS servers take it. */
export function privatePem({ privateKey }: KeyPair): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/**
 * @param data of the Secret
 * @throws {ServingCertificateError} `ServingCertificateDamaged`, without a word of what it holds
 */
export function parseServing(data: Readonly<Record<string, string>> = {}): ServingCertificate {
  const text = (name: string): string => {
    const value = data[name];
    if (value === undefined || value === '') throw damaged(`${name} is missing`);
    return Buffer.from(value, 'base64').toString();
  };
  const trusted = certificatesOf(text(AUTHORITIES)).map((pem) => ({
    pem,
    parsed: certificate(AUTHORITIES, pem),
  }));
  const serving = issued(CERTIFICATE, text(CERTIFICATE), KEY, text(KEY));
  const parsed = certificate(CERTIFICATE, serving.certificate);
  if (!trusted.some((authority) => parsed.verify(authority.parsed.publicKey)))
    throw damaged(`no certificate in ${AUTHORITIES} has signed ${CERTIFICATE}`);

  const authorityKey = readKey(AUTHORITY_KEY, text(AUTHORITY_KEY));
  const authority = trusted.find((candidate) => candidate.parsed.checkPrivateKey(authorityKey));
  if (!authority || !authority.parsed.ca)
    throw damaged(`${AUTHORITY_KEY} belongs to no certificate of an authority in ${AUTHORITIES}`);
  return {
    serving,
    authority: { certificate: authority.pem, ...pairOf(authorityKey) },
    trusted: trusted.map(({ pem }) => pem),
  };
}

function issued(name: string, pem: string, keyName: string, keyPem: string): Issued {
  const key = readKey(keyName, keyPem);
  if (!certificate(name, pem).checkPrivateKey(key)) throw damaged(`${keyName} does not belong to ${name}`);
  return { certificate: pem, ...pairOf(key) };
}

const pairOf = (key: KeyObject): KeyPair => ({ privateKey: key, publicKey: createPublicKey(key) });

function certificatesOf(bundle: string): string[] {
  const found = bundle.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n?/g) ?? [];
  return found.map((pem) => (pem.endsWith('\n') ? pem : `${pem}\n`));
}

function certificate(name: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw damaged(`${name} holds no certificate`);
  }
}

function readKey(name: string, pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw damaged(`${name} holds no private key`);
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw damaged(`${name} holds no key on P-256`);
  return key;
}

/** Without a cause: an error of the parsers may quote what they read. */
function damaged(what: string): ServingCertificateError {
  return new ServingCertificateError(
    'ServingCertificateDamaged',
    `The certificate that Latchkey made for itself cannot be used: ${what}. Delete its Secret, and it makes a new one; ` +
      'clients then need the new ca.crt.',
  );
}
