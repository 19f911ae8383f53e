// The directory in a text of accounts, for a cluster without LDAP and for the demo.
import { foldUsername } from '../../domain/effective.ts';
import { DirectoryError } from '../directory.ts';
import type { Directory, Verdict } from '../directory.ts';
import { turnstile } from '../turnstile.ts';
import { isWorthAsking } from '../username.ts';
import { parseAccounts } from './accounts.ts';
import { decoys } from './decoys.ts';
import { isPassword } from './password-hash.ts';

// scrypt takes up to 128 MiB each and one of the four threads that Node also reads files and looks up names with.
const AT_ONCE = 2;
const WAITING = 32;
const DEADLINE_MS = 5000;

/**
 * Checks passwords against accounts as `parseAccounts` reads them.
 * @param readAccounts asked for every check, so that a changed Secret counts at once
 */
export function localDirectory(readAccounts: () => Promise<string>): Directory {
  const gate = turnstile({ atOnce: AT_ONCE, waiting: WAITING, deadlineMs: DEADLINE_MS });
  const decoyFor = decoys();

  async function check(username: string, password: string): Promise<Verdict> {
    const accounts = parseAccounts(await readable(readAccounts));
    const key = foldUsername(username);
    const account = accounts.get(key);
    const isRight = await isPassword(password, account?.hash ?? decoyFor(key, accounts));
    if (!account || !isRight) return { outcome: 'Refused' };
    return account.locked ? { outcome: 'Inactive', reason: 'Locked' } : { outcome: 'Accepted', account: {} };
  }

  return {
    async verify(username, password) {
      if (!isWorthAsking(username, password)) return { outcome: 'Refused' };
      return gate.run(() => check(username, password));
    },
    close: () => gate.close(),
  };
}

async function readable(readAccounts: () => Promise<string>): Promise<string> {
  try {
    return await readAccounts();
  } catch (error) {
    throw new DirectoryError('DirectoryUnreachable', 'The accounts cannot be read: try again.', {
      cause: error,
      fault: 'NotThere',
    });
  }
}
