// The certificate that Latchkey makes for its own HTTPS server, the authority that signs it, and when both are renewed.
import { generateKeyPair, randomBytes, X509Certificate, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import { certify } from './x509.ts';

const generate = promisify(generateKeyPair);

const DAY_MS = 86_400_000;
export const CERTIFICATE_MS = 90 * DAY_MS;
/** Time for a leader to come back, and for a person to look, before the old one ends. */
export const RENEW_BEFORE_MS = 30 * DAY_MS;
/** As the authority of a cluster has it: clients keep copies of it. */
export const AUTHORITY_MS = 10 * 365 * DAY_MS;
/**
 * An authority that ends sooner has its successor published: two certificates before its end, so that clients have
 * the time between two renewals to read it before the first certificate that it has signed is used.
 */
const SUCCESSOR_BEFORE_MS = 2 * CERTIFICATE_MS;
/** The clocks of clients differ. */
const BACKDATE_MS = 5 * 60_000;

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** PEM, and the key that belongs to it. */
export interface Issued extends KeyPair {
  readonly certificate: string;
}

export interface ServingCertificate {
  /** What the server shows. */
  readonly serving: Issued;
  /** What signs the next one; the one before may have signed this one. */
  readonly authority: Issued;
  /** What clients should trust: every authority that has not ended, in PEM, the latest last. */
  readonly trusted: readonly string[];
}

/** @param hosts DNS names and IP addresses */
export async function newServingCertificate(
  hosts: readonly string[],
  now: Date,
): Promise<ServingCertificate> {
  const authority = await newAuthority(now);
  return { serving: await issue(authority, hosts, now), authority, trusted: [authority.certificate] };
}

/** @returns when it has to be renewed: at once where it is for other names */
export function renewalDueAt({ serving }: ServingCertificate, hosts: readonly string[]): Date {
  const certificate = new X509Certificate(serving.certificate);
  return isFor(certificate, hosts)
    ? new Date(certificate.validToDate.getTime() - RENEW_BEFORE_MS)
    : new Date(0);
}

/** Asked of the certificate, not read from it: there are many ways to write an address. */
function isFor(certificate: X509Certificate, hosts: readonly string[]): boolean {
  const count = certificate.subjectAltName?.split(', ').length ?? 0;
  const has = (host: string) =>
    isIP(host) === 0 ? certificate.checkHost(host, { subject: 'never' }) : certificate.checkIP(host);
  return count === hosts.length && hosts.every((host) => has(host) !== undefined);
}

/**
 * A new certificate, signed by the authority that clients have known the longest. Where that one ends before long, its
 * successor is published with it, and signs from the next renewal on.
 */
export async function renewed(
  { authority, trusted }: ServingCertificate,
  hosts: readonly string[],
  now: Date,
): Promise<ServingCertificate> {
  const living = trusted.filter((pem) => endOf(pem) > now);
  // After a very long time without a leader.
  if (endOf(authority.certificate).getTime() < now.getTime() + CERTIFICATE_MS) {
    const { serving, authority: fresh } = await newServingCertificate(hosts, now);
    return { serving, authority: fresh, trusted: [...living, fresh.certificate] };
  }
  const serving = await issue(authority, hosts, now);
  if (endOf(authority.certificate).getTime() >= now.getTime() + SUCCESSOR_BEFORE_MS)
    return { serving, authority, trusted: living };
  const successor = await newAuthority(now);
  return { serving, authority: successor, trusted: [...living, successor.certificate] };
}

const endOf = (pem: string) => new X509Certificate(pem).validToDate;

async function newAuthority(now: Date): Promise<Issued> {
  const keys = await generate('ec', { namedCurve: 'P-256' });
  // Two authorities of one name would be hard to tell apart, for people and for programs that build chains.
  const commonName = `Latchkey CA ${now.toISOString().slice(0, 10)} ${randomBytes(4).toString('hex')}`;
  const content = { commonName, publicKey: keys.publicKey, ...validity(now, AUTHORITY_MS) };
  return { ...keys, certificate: certify(content, { ...keys, commonName }) };
}

async function issue(authority: Issued, hosts: readonly string[], now: Date): Promise<Issued> {
  const keys = await generate('ec', { namedCurve: 'P-256' });
  const content = {
    commonName: 'Latchkey',
    publicKey: keys.publicKey,
    hosts,
    ...validity(now, CERTIFICATE_MS),
  };
  const { subject } = new X509Certificate(authority.certificate);
  const issuer = { ...authority, commonName: subject.replace(/^CN=/, '') };
  return { ...keys, certificate: certify(content, issuer) };
}

const validity = (now: Date, ms: number) => ({
  notBefore: new Date(now.getTime() - BACKDATE_MS),
  notAfter: new Date(now.getTime() + ms),
});
