// The settings of an LDAP directory, checked before anything is asked.
import { X509Certificate } from 'node:crypto';
import { DirectoryError } from '../directory.ts';
import type { Endpoint } from './connection.ts';
import type { DialectName } from './dialects/dialect.ts';
import { DEFAULT_USER_FILTER, inactiveFilter, userFilter } from './user-filter.ts';
import type { UserFilter } from './user-filter.ts';

const DEFAULT_TIMEOUT_MS = 5000;
const LDAPS_PORT = 636;
const LDAP_PORT = 389;
const ATTRIBUTE_NAME = /^[A-Za-z][A-Za-z0-9-]*$/;

export interface LdapSettings {
  /**
   * `ldaps://directory.example.org`, or `ldap://` together with `startTls`. Several, separated by commas, are replicas
   * of one directory: the first that answers is asked.
   */
  readonly url: string;
  readonly startTls: boolean;
  /** PEM certificates of the authorities to trust in place of the system's. */
  readonly caPem?: string;
  /** Who searches: a DN, or what Active Directory takes for one, such as `latchkey@example.org`. */
  readonly bindDN: string;
  /** Read for every sign-in, so that a changed Secret counts at once. */
  readonly bindPassword: () => Promise<string>;
  /** Where the search begins. */
  readonly baseDN: string;
  /** `{username}` stands for the username; `(uid={username})` by default. */
  readonly userFilter?: string;
  /** The attribute that holds an entry's unchanging id; by default the first of `DEFAULT_ID_ATTRIBUTES` that is there. */
  readonly idAttribute?: string;
  /** What the directory is; by default what it says of itself. */
  readonly dialect?: DialectName;
  /** Whoever it finds counts as inactive, for example `(employeeType=left)`; nobody by default. */
  readonly inactiveFilter?: string;
  /** For one check of a password, all of it; 5000 by default. */
  readonly timeoutMs?: number;
}

export interface CheckedLdapSettings extends Omit<LdapSettings, 'userFilter' | 'timeoutMs'> {
  readonly endpoints: readonly [Endpoint, ...Endpoint[]];
  readonly filter: UserFilter;
  readonly timeoutMs: number;
}

/** @throws {DirectoryError} `DirectoryMisconfigured`, naming the setting that is wrong */
export function checkedSettings(settings: LdapSettings): CheckedLdapSettings {
  const { bindDN, baseDN, idAttribute, timeoutMs = DEFAULT_TIMEOUT_MS } = settings;
  if (bindDN.trim() === '') throw wrong('bindDN', 'it is empty, and nobody searches as nobody');
  if (baseDN.trim() === '')
    throw wrong('baseDN', 'it is empty; write for example ou=people,dc=example,dc=org');
  if (idAttribute !== undefined && !ATTRIBUTE_NAME.test(idAttribute)) {
    throw wrong('idAttribute', 'it is not the name of an attribute; write for example entryUUID');
  }
  if (!Number.isInteger(timeoutMs) || timeoutMs <= 0) {
    throw wrong('timeoutMs', 'it must be a whole number of milliseconds above 0');
  }
  return {
    ...settings,
    timeoutMs,
    endpoints: endpointsOf(settings),
    filter: userFilter(settings.userFilter ?? DEFAULT_USER_FILTER),
    ...(settings.inactiveFilter !== undefined && { inactiveFilter: inactiveFilter(settings.inactiveFilter) }),
  };
}

function endpointsOf(settings: LdapSettings): readonly [Endpoint, ...Endpoint[]] {
  const [first = '', ...more] = settings.url.split(',').map((url) => url.trim());
  return [endpointOf(first, settings), ...more.map((url) => endpointOf(url, settings))];
}

function endpointOf(url: string, { startTls, caPem }: LdapSettings): Endpoint {
  const parsed = URL.parse(url);
  const implicitTls = parsed?.protocol === 'ldaps:';
  if (!parsed || (!implicitTls && parsed.protocol !== 'ldap:') || parsed.hostname === '') {
    throw wrong('url', 'it must begin with ldaps:// or ldap:// and name a host');
  }
  if (
    parsed.username !== '' ||
    parsed.password !== '' ||
    parsed.search !== '' ||
    parsed.pathname.length > 1
  ) {
    throw wrong('url', 'it must hold a host and a port and nothing else: the rest has settings of its own');
  }
  if (implicitTls && startTls) throw wrong('startTls', 'with ldaps:// TLS is there already: turn it off');
  if (!implicitTls && !startTls) {
    throw wrong(
      'startTls',
      'without it ldap:// would carry passwords in clear text: turn it on, or use ldaps://',
    );
  }
  if (caPem !== undefined) assertCertificates(caPem);
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? (implicitTls ? LDAPS_PORT : LDAP_PORT) : Number(parsed.port),
    startTls,
    ...(caPem !== undefined && { caPem }),
  };
}

// TLS passes over authorities that it cannot read, and then says only that it trusts nobody.
function assertCertificates(caPem: string): void {
  const blocks = caPem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  if (!blocks) throw wrong('caPem', 'it holds no PEM certificate');
  if (!blocks.every(isCertificate)) throw wrong('caPem', 'one of its certificates cannot be read');
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

function wrong(setting: string, fault: string): DirectoryError {
  return new DirectoryError('DirectoryMisconfigured', `The setting ${setting} is wrong: ${fault}.`, {
    fault: 'SettingWrong',
  });
}
