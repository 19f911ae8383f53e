// The directory of a bench: an OpenLDAP server with everybody in it, what changes there, and when by its own log.
import { setTimeout as delay } from 'node:timers/promises';
import { userDn } from '../dev/directories/entries.ts';
import { startOpenLdap, type OpenLdap } from '../dev/directories/openldap.ts';
import { writeSecret } from '../dev/latchkey/install.ts';
import { waitUntil } from '../dev/wait-until.ts';
import type { User } from '../src/api/user.ts';
import { listAll } from '../src/kubernetes/list.ts';
import { USERS } from '../src/observation/views.ts';
import { passLimitMs, type Arena } from './arena.ts';
import { forgetDirectory } from './seed.ts';
import type { Operation } from './slapd-log.ts';

/** With whoever an earlier part has left, too: many who are missing or replaced at once would be held. */
export async function directoryOfEverybody({ admin }: Arena): Promise<OpenLdap> {
  const { objects } = await listAll(admin, USERS);
  await forgetDirectory(
    admin,
    objects.map(({ user }) => user),
  );
  return startOpenLdap({ users: objects.map(({ name }) => ({ uid: name, cn: name })), logOperations: true });
}

/** The password that an operator searches with, where it looks for it. */
export const letBind = ({ cluster }: Arena, { bindPassword }: OpenLdap): Promise<void> =>
  writeSecret(cluster, 'latchkey-ldap-bind', { password: bindPassword });

/** The directory has spoken about everybody, and it is written down. */
export async function untilAllAreActive({ admin, users }: Arena): Promise<void> {
  await waitUntil('the directory to be heard about everybody', passLimitMs(users()), async () => {
    const { objects } = await listAll(admin, USERS);
    const active = objects.filter(({ user }) => isActive(user));
    if (active.length >= users()) return true;
    await delay(1_000);
    return false;
  });
}

function isActive({ status }: User): boolean {
  return status?.directory?.state === 'Active';
}

/** Locked for good, by an administrator: draft-behera-ldap-password-policy, section 5.3.3. */
export function disableInDirectory(server: OpenLdap, names: readonly string[]): Promise<void> {
  const changes = names.map(
    (name) =>
      `dn: ${userDn(name)}\nchangetype: modify\nreplace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n`,
  );
  return server.modify(changes.join('\n'));
}

/** The last change of each entry, by its DN. */
export function changesIn(operations: readonly Operation[]): ReadonlyMap<string, Operation> {
  return new Map(operations.filter(({ kind }) => kind === 'MOD').map((change) => [change.dn, change]));
}
