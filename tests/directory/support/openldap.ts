// A real OpenLDAP server with a few people, and Latchkey's directory over it.
import { readFileSync } from 'node:fs';
import { startOpenLdap } from '../../../dev/directories/openldap.ts';
import type { OpenLdap, OpenLdapOptions } from '../../../dev/directories/openldap.ts';
import { ldapDirectory } from '../../../src/directory/ldap/ldap-directory.ts';
import type { LdapSettings } from '../../../src/directory/ldap/settings.ts';
import type { Directory } from '../../../src/directory/directory.ts';

export const ADA_PASSWORD = 'Analytical-Engine-1843';

export interface TestDirectory {
  readonly server: OpenLdap;
  readonly port: number;
  readonly tlsPort: number;
  /** A directory over LDAPS; closed by `stop`. */
  directory(changes?: Partial<LdapSettings>): Directory;
  stop(): Promise<void>;
}

export async function startTestDirectory(options: Partial<OpenLdapOptions> = {}): Promise<TestDirectory> {
  const server = await startOpenLdap({
    ...options,
    users: [
      { uid: 'ada', cn: 'Ada Lovelace', mail: 'ada@example.org', password: ADA_PASSWORD },
      ...(options.users ?? []),
    ],
  });
  const directories: Directory[] = [];
  return {
    server,
    port: Number(new URL(server.ldapUrl).port),
    tlsPort: Number(new URL(server.ldapsUrl).port),
    directory(changes = {}) {
      const directory = ldapDirectory({
        url: server.ldapsUrl,
        startTls: false,
        caPem: readFileSync(server.caFile, 'utf8'),
        bindDN: server.bindDn,
        bindPassword: () => Promise.resolve(server.bindPassword),
        baseDN: 'dc=example,dc=org',
        ...changes,
      });
      directories.push(directory);
      return directory;
    },
    async stop() {
      await Promise.all(directories.map((directory) => directory.close()));
      await server.stop();
    },
  };
}
