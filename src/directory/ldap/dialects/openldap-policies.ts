// Reads the password policies of OpenLDAP's ppolicy overlay, as far as the account that searches may read them.
import { textsOf } from '../entry.ts';
import type { Entry } from '../entry.ts';
import type { SearchAnswer, SearchOptions } from '../search.ts';
import type { PasswordPolicy } from './openldap-ppolicy.ts';
import { readingOf } from './reading.ts';

/** An operational attribute of an entry with a policy of its own: the DN of that policy. */
export const POLICY_ATTRIBUTE = 'pwdPolicySubentry';

const CONFIGURATION_DN = 'cn=config';
const DEFAULT_ATTRIBUTE = 'olcPPolicyDefault';
const SUCCESS = 0;
/** Databases of one server that each have a default; with several it is not ours to guess which one counts. */
const ENOUGH_DATABASES = 20;
/** Policies are few; more than this are as if they could not be read. */
const MAX_POLICIES = 200;

export type Ask = (options: Omit<SearchOptions, 'timeoutMs'>) => Promise<SearchAnswer>;

/** The policies that the entries of a sweep need: each is read once for all of them. */
export interface PasswordPolicies {
  /** Reads all those anew that were needed so far. @throws {Error} without an answer that can be trusted */
  refresh(): Promise<void>;
  /** Reads those that `of` did not know. @throws {Error} as `refresh` */
  readNew(): Promise<void>;
  /** The policy of an entry, empty where it cannot be read; undefined where it was not read yet. */
  of(entry: Entry): PasswordPolicy | undefined;
}

export function passwordPolicies(ask: Ask): PasswordPolicies {
  const known = new Map<string, PasswordPolicy | undefined>();
  let defaultDn: string | undefined;

  async function readAll(dns: readonly string[]): Promise<void> {
    for (const dn of dns) known.set(dn, await readPolicy(ask, dn));
  }

  return {
    async refresh() {
      defaultDn = await defaultPolicyDn(ask);
      if (defaultDn !== undefined) known.set(defaultDn, undefined);
      await readAll([...known.keys()]);
    },
    readNew: () => readAll([...known].flatMap(([dn, policy]) => (policy ? [] : [dn]))),
    of(entry) {
      const dn = policyDnOf(entry) ?? defaultDn;
      if (dn === undefined || (!known.has(dn) && known.size >= MAX_POLICIES)) return {};
      if (!known.has(dn)) known.set(dn, undefined);
      return known.get(dn);
    },
  };
}

/** The policy of one entry alone. @throws {Error} without an answer that can be trusted */
export async function readPolicyOf(ask: Ask, entry: Entry): Promise<PasswordPolicy> {
  const dn = policyDnOf(entry) ?? (await defaultPolicyDn(ask));
  return dn === undefined ? {} : readPolicy(ask, dn);
}

/** What an entry of the class pwdPolicy says, see slapo-ppolicy(5): 0, as nothing, sets no such time. */
export function policyIn(entry: Entry): PasswordPolicy {
  const { integer } = readingOf(entry);
  const milliseconds = (attribute: string) => {
    const seconds = integer(attribute);
    return seconds === undefined || seconds <= 0n || seconds > 2n ** 31n
      ? undefined
      : Number(seconds) * 1_000;
  };
  const lockoutMs = milliseconds('pwdLockoutDuration');
  const maxAgeMs = milliseconds('pwdMaxAge');
  return { ...(lockoutMs !== undefined && { lockoutMs }), ...(maxAgeMs !== undefined && { maxAgeMs }) };
}

function policyDnOf(entry: Entry): string | undefined {
  const [dn, ...more] = textsOf(entry, POLICY_ATTRIBUTE);
  return more.length === 0 ? dn : undefined;
}

async function readPolicy(ask: Ask, dn: string): Promise<PasswordPolicy> {
  const attributes = ['pwdLockoutDuration', 'pwdMaxAge'];
  const { resultCode, entries } = await ask({ baseDN: dn, scope: 'base', attributes, sizeLimit: 1 });
  const [entry] = entries;
  return resultCode === SUCCESS && entry ? policyIn(entry) : {};
}

// The name of the default policy stands in the configuration of the server alone.
async function defaultPolicyDn(ask: Ask): Promise<string | undefined> {
  const { resultCode, entries } = await ask({
    baseDN: CONFIGURATION_DN,
    scope: 'sub',
    filter: `(${DEFAULT_ATTRIBUTE}=*)`,
    attributes: [DEFAULT_ATTRIBUTE],
    sizeLimit: ENOUGH_DATABASES,
  });
  if (resultCode !== SUCCESS) return undefined;
  const [dn, ...others] = new Set(entries.flatMap((entry) => textsOf(entry, DEFAULT_ATTRIBUTE)));
  return others.length === 0 ? dn : undefined;
}
