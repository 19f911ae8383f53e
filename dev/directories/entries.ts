// The tree of the test directory: people, groups, the password policy and the account that Latchkey searches with.
import type { LdapEntry } from './ldif.ts';

export const SUFFIX = 'dc=example,dc=org';
export const PEOPLE_DN = `ou=people,${SUFFIX}`;
export const GROUPS_DN = `ou=groups,${SUFFIX}`;
export const POLICY_DN = policyDn('default');
export const SERVICE_DN = `cn=latchkey,${SUFFIX}`;

export interface DirectoryUser {
  /** Also the name of the entry: `uid=ada,ou=people,dc=example,dc=org`. */
  readonly uid: string;
  readonly cn: string;
  readonly mail?: string;
  readonly password?: string;
  /** More attributes, or other `objectClass`es than inetOrgPerson. */
  readonly attributes?: LdapEntry['attributes'];
}

export interface DirectoryGroup {
  readonly cn: string;
  /** The `uid`s of its members; LDAP wants at least one. */
  readonly members: readonly [string, ...string[]];
}

export interface DirectoryContent {
  readonly users: readonly DirectoryUser[];
  readonly groups?: readonly DirectoryGroup[];
  /** Attributes of the users' password policy, for instance `{ pwdMaxAge: '3600' }`; see slapo-ppolicy(5). */
  readonly passwordPolicy?: Readonly<Record<string, string>>;
}

/** What every kind of server is given: the tree, its people and groups, and the account that searches. */
export function commonEntries(
  { users, groups = [] }: DirectoryContent,
  service: LdapEntry['attributes'],
): LdapEntry[] {
  return [
    ...['people', 'groups'].map((ou) => organizationalUnit(ou)),
    {
      dn: SERVICE_DN,
      attributes: {
        objectClass: ['applicationProcess', 'simpleSecurityObject'],
        cn: 'latchkey',
        ...service,
      },
    },
    ...users.map(userEntry),
    ...groups.map(groupEntry),
  ];
}

/** The root of the tree; `attributes` are those that one kind of server wants there. */
export function suffixEntry(attributes: LdapEntry['attributes'] = {}): LdapEntry {
  return {
    dn: SUFFIX,
    attributes: { objectClass: ['dcObject', 'organization'], dc: 'example', o: 'Example', ...attributes },
  };
}

/** For OpenLDAP, with its password policies. */
export function entriesOf(content: DirectoryContent, servicePassword: string): LdapEntry[] {
  return [
    suffixEntry(),
    organizationalUnit('policies'),
    policyEntry('default', content.passwordPolicy),
    policyEntry('services', {}),
    ...commonEntries(content, {
      userPassword: servicePassword,
      pwdPolicySubentry: policyDn('services'),
    }),
  ];
}

function organizationalUnit(ou: string): LdapEntry {
  return { dn: `ou=${ou},${SUFFIX}`, attributes: { objectClass: 'organizationalUnit', ou } };
}

function policyEntry(cn: string, attributes: DirectoryContent['passwordPolicy']): LdapEntry {
  return {
    dn: policyDn(cn),
    attributes: { objectClass: ['device', 'pwdPolicy'], cn, pwdAttribute: 'userPassword', ...attributes },
  };
}

function policyDn(cn: string): string {
  return `cn=${cn},ou=policies,${SUFFIX}`;
}

/** The DN of a user of the test directory. */
export function userDn(uid: string): string {
  return `uid=${uid},${PEOPLE_DN}`;
}

function userEntry({ uid, cn, mail, password, attributes }: DirectoryUser): LdapEntry {
  return {
    dn: userDn(uid),
    attributes: {
      objectClass: 'inetOrgPerson',
      uid,
      cn,
      sn: cn.split(' ').at(-1) ?? cn,
      ...(mail !== undefined && { mail }),
      ...(password !== undefined && { userPassword: password }),
      ...attributes,
    },
  };
}

function groupEntry({ cn, members }: DirectoryGroup): LdapEntry {
  return {
    dn: `cn=${cn},${GROUPS_DN}`,
    attributes: { objectClass: 'groupOfNames', cn, member: members.map(userDn) },
  };
}
