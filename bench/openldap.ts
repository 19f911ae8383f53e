// The directory of a run: one OpenLDAP server with everybody in it, whom it disables, and when by its own log.
import { userDn } from '../dev/directories/entries.ts';
import { startOpenLdap, type OpenLdap } from '../dev/directories/openldap.ts';
import { isAccident } from '../src/domain/holds.ts';
import type { Operation } from './slapd-log.ts';

/** Of everybody in it. */
export const PASSWORD = 'correct horse battery staple';

export interface Directory {
  readonly server: OpenLdap;
  /** How many people are in it. */
  readonly people: number;
  /**
   * Says beforehand how many of so many users a part will disable.
   * @throws RangeError where they are so many, with those of earlier parts, that they would be held until an admin
   *   confirms it: nobody would lose a token
   */
  mayDisable(count: number, users: number): void;
  disable(names: readonly string[]): Promise<void>;
  enable(names: readonly string[]): Promise<void>;
}

/** One for all parts: to another server's people the operator would be right to give no token. */
export async function openDirectory(names: readonly string[]): Promise<Directory> {
  const server = await startOpenLdap({
    users: names.map((uid) => ({ uid, cn: uid, mail: `${uid}@example.org`, password: PASSWORD })),
    logOperations: true,
  });
  const change = (people: readonly string[], lines: string) =>
    server.modify(people.map((name) => `dn: ${userDn(name)}\nchangetype: modify\n${lines}\n`).join('\n'));
  let mayBeDisabled = 0;
  return {
    server,
    people: names.length,
    mayDisable(count, users) {
      mayBeDisabled += count;
      if (isAccident(mayBeDisabled, users))
        throw new RangeError(
          `${mayBeDisabled} of ${users} users disabled in the directory would be held until an admin confirms it`,
        );
    },
    // Locked for good, by an administrator: draft-behera-ldap-password-policy, section 5.3.3.
    disable: (people) => change(people, 'replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z'),
    enable: (people) => change(people, 'delete: pwdAccountLockedTime'),
  };
}

/** The last change of each entry, by its DN. */
export function changesIn(operations: readonly Operation[]): ReadonlyMap<string, Operation> {
  return new Map(operations.filter(({ kind }) => kind === 'MOD').map((change) => [change.dn, change]));
}
