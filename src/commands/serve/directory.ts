// Makes the directory that the settings name.
import { readFileSync } from 'node:fs';
import type { Directory } from '../../directory/directory.ts';
import { ldapDirectory } from '../../directory/ldap/ldap-directory.ts';
import { localDirectory } from '../../directory/local/local-directory.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { secretValue } from '../../kubernetes/secret-value.ts';
import type { ServeSettings } from './settings.ts';

export function directoryOf(client: KubernetesClient, settings: ServeSettings): Directory {
  const { namespace } = settings;
  if (settings.directory === 'local')
    return localDirectory(() =>
      secretValue(client, { namespace, name: settings.localAccountsSecret, key: 'accounts' }),
    );
  return ldapDirectory({
    url: settings.ldapUrl ?? '',
    startTls: settings.ldapStartTls,
    ...(settings.ldapCaFile !== undefined && { caPem: readFileSync(settings.ldapCaFile, 'utf8') }),
    bindDN: settings.ldapBindDn ?? '',
    bindPassword: () => secretValue(client, { namespace, name: settings.ldapBindSecret, key: 'password' }),
    baseDN: settings.ldapBaseDn ?? '',
    userFilter: settings.ldapUserFilter,
    ...(settings.ldapDialect !== 'auto' && { dialect: settings.ldapDialect }),
    ...(settings.ldapInactiveFilter !== undefined && { inactiveFilter: settings.ldapInactiveFilter }),
  });
}
