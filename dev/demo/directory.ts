// Gives the demo's accounts a directory: a Secret with local accounts, or a real OpenLDAP server.
import { hashPassword } from '../../src/directory/local/password-hash.ts';
import { directoryFlags } from '../directories/flags.ts';
import { startOpenLdap } from '../directories/openldap.ts';
import { writeLocalAccounts, writeSecret, type Cluster } from '../latchkey/install.ts';
import type { Account } from './accounts.ts';

export type DirectoryKind = 'local' | 'openldap';

export interface DemoDirectory {
  /** The flags of `latchkey serve` that use it. */
  readonly flags: readonly string[];
  stop(): Promise<void>;
}

export async function startDirectory(
  kind: DirectoryKind,
  cluster: Cluster,
  accounts: readonly Account[],
): Promise<DemoDirectory> {
  return kind === 'local' ? local(cluster, accounts) : openLdap(cluster, accounts);
}

async function local(cluster: Cluster, accounts: readonly Account[]): Promise<DemoDirectory> {
  const lines = accounts.map(async ({ username, password }) => `${username}:${await hashPassword(password)}`);
  await writeLocalAccounts(cluster, await Promise.all(lines));
  return { flags: ['--directory=local'], stop: async () => undefined };
}

async function openLdap(cluster: Cluster, accounts: readonly Account[]): Promise<DemoDirectory> {
  const users = accounts.map(({ username, displayName, password }) => ({
    uid: username,
    cn: displayName,
    mail: `${username}@example.org`,
    password,
  }));
  const directory = await startOpenLdap({ users });
  try {
    await writeSecret(cluster, 'latchkey-ldap-bind', { password: directory.bindPassword });
  } catch (error) {
    await directory.stop();
    throw error;
  }
  return {
    flags: [...directoryFlags(directory)],
    stop: () => directory.stop(),
  };
}
