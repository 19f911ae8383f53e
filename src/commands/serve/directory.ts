// Makes the directory that the settings name.
import type { Logger } from 'pino';
import { POLICY_NAME } from '../../api/names.ts';
import { effectiveUsername, foldUsername } from '../../domain/effective.ts';
import { listedGroups } from '../../domain/onboarding.ts';
import type { Caches } from '../../observation/caches.ts';
import type { LdapSettings } from '../../directory/ldap/settings.ts';
import { ldapWatch } from '../../directory/ldap/watch/ldap-watch.ts';
import type { DirectoryTally } from '../../directory/watch/tally.ts';
import type { DirectoryWatch } from '../../directory/watch/watch.ts';
import type { Directory } from '../../directory/directory.ts';
import { ldapDirectory } from '../../directory/ldap/ldap-directory.ts';
import { localDirectory } from '../../directory/local/local-directory.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { secretValue } from '../../kubernetes/secret-value.ts';
import { readTextFile } from '../read-text-file.ts';
import type { ServeSettings } from './settings.ts';

export function directoryOf(client: KubernetesClient, settings: ServeSettings): Directory {
  const { namespace } = settings;
  if (settings.directory === 'local')
    return localDirectory(() =>
      secretValue(client, { namespace, name: settings.localAccountsSecret, key: 'accounts' }),
    );
  return ldapDirectory(ldapSettings(client, settings));
}

export interface DirectoryWatchOptions {
  readonly caches: Pick<Caches, 'users' | 'byUsername' | 'policies'>;
  readonly count: DirectoryTally;
  readonly log: Logger;
}

/** Looks at all Users together; undefined where there is nothing to look at. */
export function directoryWatchOf(
  client: KubernetesClient,
  settings: ServeSettings,
  { caches, count, log }: DirectoryWatchOptions,
): DirectoryWatch | undefined {
  if (settings.directory === 'local') return undefined;
  return ldapWatch(ldapSettings(client, settings), {
    wanted: {
      has: (folded) => caches.byUsername.get(folded).length > 0,
      *all() {
        for (const { user } of caches.users.values()) yield foldUsername(effectiveUsername(user));
      },
      spelling(folded) {
        const [first] = caches.byUsername.get(folded);
        return first ? effectiveUsername(first.user) : folded;
      },
    },
    groups: () => listedGroups(caches.policies.get(POLICY_NAME)?.policy),
    changesIntervalMs: settings.directoryPollInterval,
    sweepIntervalMs: settings.directorySweepInterval,
    count,
    log,
  });
}

function ldapSettings(client: KubernetesClient, settings: ServeSettings): LdapSettings {
  const { namespace } = settings;
  return {
    url: settings.ldapUrl ?? '',
    startTls: settings.ldapStartTls,
    ...(settings.ldapCaFile !== undefined && { caPem: readTextFile('ldapCaFile', settings.ldapCaFile) }),
    bindDN: settings.ldapBindDn ?? '',
    bindPassword: () => secretValue(client, { namespace, name: settings.ldapBindSecret, key: 'password' }),
    baseDN: settings.ldapBaseDn ?? '',
    userFilter: settings.ldapUserFilter,
    ...(settings.ldapDialect !== 'auto' && { dialect: settings.ldapDialect }),
    ...(settings.ldapInactiveFilter !== undefined && { inactiveFilter: settings.ldapInactiveFilter }),
  };
}
