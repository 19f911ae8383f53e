// Makes the directory that the settings name.
import type { Logger } from 'pino';
import { POLICY_NAME } from '../../api/names.ts';
import { effectiveUsername, foldUsername } from '../../domain/effective.ts';
import { listedGroups } from '../../domain/onboarding.ts';
import type { Caches } from '../../observation/caches.ts';
import type { LdapSettings } from '../../directory/ldap/settings.ts';
import { ldapWatch } from '../../directory/ldap/watch/ldap-watch.ts';
import type { DirectoryTally } from '../../directory/watch/tally.ts';
import type { DirectoryWatch, Wanted } from '../../directory/watch/watch.ts';
import type { Directory } from '../../directory/directory.ts';
import { ldapDirectory } from '../../directory/ldap/ldap-directory.ts';
import { localDirectory } from '../../directory/local/local-directory.ts';
import { localWatch } from '../../directory/local/local-watch.ts';
import type { FollowAccounts } from '../../directory/local/local-watch.ts';
import { readRoll } from '../../directory/local/roll.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { followSecret } from '../../kubernetes/follow-secret.ts';
import { secretValue } from '../../kubernetes/secret-value.ts';
import { readTextFile } from '../read-text-file.ts';
import type { ServeSettings } from './settings.ts';

export function directoryOf(client: KubernetesClient, settings: ServeSettings): Directory {
  if (settings.directory === 'local') return localDirectory(() => secretValue(client, accountsKey(settings)));
  return ldapDirectory(ldapSettings(client, settings));
}

const accountsKey = ({ namespace, localAccountsSecret }: ServeSettings) => ({
  namespace,
  name: localAccountsSecret,
  key: 'accounts',
});

export interface DirectoryWatchOptions {
  readonly caches: Pick<Caches, 'users' | 'byUsername' | 'policies'>;
  readonly count: DirectoryTally;
  /** The time to decide by. */
  readonly now: () => Date;
  readonly log: Logger;
  /** Told of every watch of the API server that breaks. */
  readonly onBroken: (resource: string) => void;
}

/** Looks at all Users together. */
export function directoryWatchOf(
  client: KubernetesClient,
  settings: ServeSettings,
  { caches, count, now, log, onBroken }: DirectoryWatchOptions,
): DirectoryWatch {
  const wanted: Wanted = {
    has: (folded) => caches.byUsername.get(folded).length > 0,
    *all() {
      for (const { user } of caches.users.values()) yield foldUsername(effectiveUsername(user));
    },
    spelling(folded) {
      const [first] = caches.byUsername.get(folded);
      return first ? effectiveUsername(first.user) : folded;
    },
  };
  if (settings.directory === 'local') {
    const accounts = { as: 'accounts', ...accountsKey(settings), read: readRoll };
    const follow: FollowAccounts = (told, signal) =>
      followSecret(client, accounts, told, { log, signal, onBroken });
    const wasThere = (folded: string) =>
      caches.byUsername.get(folded).some(({ user: { status } }) => status?.session ?? status?.directory);
    return localWatch(follow, { wanted, wasThere, count, now, log });
  }
  return ldapWatch(ldapSettings(client, settings), {
    wanted,
    groups: () => listedGroups(caches.policies.get(POLICY_NAME)?.policy),
    changesIntervalMs: settings.directoryPollInterval,
    sweepIntervalMs: settings.directorySweepInterval,
    count,
    now,
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
