// The dialects of directories: what each is asked for, and how its answer is read.
import type { Spell } from '../../../domain/standing.ts';
import { textsOf } from '../entry.ts';
import type { Entry } from '../entry.ts';
import {
  ACTIVE_DIRECTORY_ATTRIBUTES,
  activeDirectoryPasswordChange,
  activeDirectorySpells,
} from './active-directory.ts';
import { DIRECTORY_389_ATTRIBUTES, directory389PasswordChange, directory389Spells } from './directory-389.ts';
import { EDIRECTORY_ATTRIBUTES, eDirectorySpells } from './edirectory.ts';
import { OPENLDAP_PPOLICY_ATTRIBUTES, openLdapPasswordChange, openLdapSpells } from './openldap-ppolicy.ts';
import type { PasswordPolicy } from './openldap-ppolicy.ts';
import { POLICY_ATTRIBUTE } from './openldap-policies.ts';
import { SHADOW_ACCOUNT_ATTRIBUTES, shadowAccountSpells } from './shadow-account.ts';

export const DIALECT_NAMES = ['active-directory', '389ds', 'openldap', 'edirectory', 'generic'] as const;
export type DialectName = (typeof DIALECT_NAMES)[number];

export interface Dialect {
  readonly name: DialectName;
  /** What `spellsOf` reads; to be asked for by name, since most of them are operational. */
  readonly attributes: readonly string[];
  /** @param policy of the account's password; only OpenLDAP keeps apart what others put into the entry */
  spellsOf(entry: Entry, policy?: PasswordPolicy): readonly Spell[];
  /**
   * When the password was last changed, in milliseconds since 1970 by the directory's clock; undefined where the entry
   * does not say, Infinity where a change is demanded.
   */
  passwordChangedAt(entry: Entry): number | undefined;
}

const notSaid = (): undefined => undefined;

const SHADOW = ['objectClass', ...SHADOW_ACCOUNT_ATTRIBUTES];

const DIALECTS: Readonly<Record<DialectName, Dialect>> = {
  'active-directory': {
    name: 'active-directory',
    attributes: ACTIVE_DIRECTORY_ATTRIBUTES,
    spellsOf: activeDirectorySpells,
    passwordChangedAt: activeDirectoryPasswordChange,
  },
  '389ds': {
    name: '389ds',
    attributes: [...DIRECTORY_389_ATTRIBUTES, ...SHADOW],
    spellsOf: (entry) => [...directory389Spells(entry), ...shadowSpells(entry)],
    passwordChangedAt: directory389PasswordChange,
  },
  openldap: {
    name: 'openldap',
    attributes: [...OPENLDAP_PPOLICY_ATTRIBUTES, POLICY_ATTRIBUTE, ...SHADOW],
    spellsOf: (entry, policy) => [...openLdapSpells(entry, policy), ...shadowSpells(entry)],
    passwordChangedAt: openLdapPasswordChange,
  },
  edirectory: {
    name: 'edirectory',
    attributes: EDIRECTORY_ATTRIBUTES,
    spellsOf: eDirectorySpells,
    passwordChangedAt: notSaid,
  },
  generic: { name: 'generic', attributes: SHADOW, spellsOf: shadowSpells, passwordChangedAt: notSaid },
};

export function dialectOf(name: DialectName): Dialect {
  return DIALECTS[name];
}

/** Ask for these at the root of a directory (RFC 4512, section 5.1) to tell its dialect. */
export const DETECTION_ATTRIBUTES: readonly string[] = ['objectClass', 'supportedCapabilities', 'vendorName'];

// LDAP_CAP_ACTIVE_DIRECTORY_OID and LDAP_CAP_ACTIVE_DIRECTORY_ADAM_OID, [MS-ADTS] 3.1.1.3.4.3. Samba says the first.
const ACTIVE_DIRECTORY_CAPABILITIES = new Set(['1.2.840.113556.1.4.800', '1.2.840.113556.1.4.1851']);
const VENDORS: readonly (readonly [RegExp, DialectName])[] = [
  [/^(389 Project|Red Hat|Fedora)/i, '389ds'],
  [/(NetIQ|Novell|OpenText|Micro Focus)/i, 'edirectory'],
];

/** What the root says the server is; `generic` where it says nothing known. */
export function detectDialect(root: Entry): Dialect {
  const capabilities = textsOf(root, 'supportedCapabilities');
  if (capabilities.some((oid) => ACTIVE_DIRECTORY_CAPABILITIES.has(oid))) return DIALECTS['active-directory'];
  const vendor = textsOf(root, 'vendorName').join(' ');
  const known = VENDORS.find(([pattern]) => pattern.test(vendor));
  if (known) return DIALECTS[known[1]];
  const isOpenLdap = textsOf(root, 'objectClass').some((name) => name.toLowerCase() === 'openldaprootdse');
  return isOpenLdap ? DIALECTS.openldap : DIALECTS.generic;
}

/** Entries are shadow accounts one by one, whatever the server is. */
function shadowSpells(entry: Entry): readonly Spell[] {
  const isShadow = textsOf(entry, 'objectClass').some((name) => name.toLowerCase() === 'shadowaccount');
  return isShadow ? shadowAccountSpells(entry) : [];
}
