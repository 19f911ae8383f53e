// Latchkey's directory over whichever real server a test has started.
import { readFileSync } from 'node:fs';
import type { LdapSettings } from '../../../src/directory/ldap/settings.ts';

export interface ServerAccess {
  readonly ldapsUrl: string;
  readonly caFile: string;
  readonly bindDn: string;
  readonly bindPassword: string;
}

/** Over LDAPS, as the account that searches. */
export function settingsOf(
  { ldapsUrl, caFile, bindDn, bindPassword }: ServerAccess,
  rest: Partial<LdapSettings> & Pick<LdapSettings, 'baseDN'>,
): LdapSettings {
  return {
    url: ldapsUrl,
    startTls: false,
    caPem: readFileSync(caFile, 'utf8'),
    bindDN: bindDn,
    bindPassword: () => Promise.resolve(bindPassword),
    ...rest,
  };
}
