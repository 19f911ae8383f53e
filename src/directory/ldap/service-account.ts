// Signs in the account that searches, on a connection of its own.
import type { Socket } from 'node:net';
import { DirectoryError } from '../directory.ts';
import { simpleBind } from './bind.ts';
import type { CheckedLdapSettings } from './settings.ts';

/** The service account is refused, or may not bind; anything else is the server's own trouble. */
const SERVICE_ACCOUNT_REFUSED = new Set([7, 8, 13, 19, 32, 34, 48, 49, 50, 53]);

/**
 * @throws {DirectoryError} `DirectoryMisconfigured` where the account is refused or its password cannot be read;
 *   `DirectoryUnreachable` where the server cannot say
 * @throws {Error} without an answer that can be trusted
 */
export async function bindServiceAccount(
  socket: Socket,
  { bindDN, bindPassword }: Pick<CheckedLdapSettings, 'bindDN' | 'bindPassword'>,
): Promise<void> {
  const password = await bindPassword().catch((error: unknown) => {
    throw refused('its password cannot be read', error);
  });
  if (password === '') throw refused('its password is empty');
  const { resultCode } = await simpleBind(socket, bindDN, password);
  if (resultCode === 0) return;
  if (SERVICE_ACCOUNT_REFUSED.has(resultCode))
    throw refused(`the directory refuses it (LDAP result ${resultCode})`);
  throw new DirectoryError(
    'DirectoryUnreachable',
    `The directory could not sign bindDN in (LDAP result ${resultCode}): look into its log.`,
    { fault: 'ServerFailed' },
  );
}

function refused(why: string, cause?: unknown): DirectoryError {
  return new DirectoryError(
    'DirectoryMisconfigured',
    `The account that searches cannot sign in: ${why}. Check bindDN and its password.`,
    { fault: 'BindRefused', ...(cause !== undefined && { cause }) },
  );
}
