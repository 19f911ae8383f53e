// The commands about signing keys, run with an admin's credentials: they print names and dates, never a key.
import {
  changeKeyring,
  readKeysSecret,
  replaceKeyring,
  type KeysSecretAccess,
} from '../controllers/signing-keys/secret.ts';
import type { SecretObject } from '../kubernetes/kept-secret.ts';
import { generateKeyPair } from '../issuer/key-pair.ts';
import { parseKeyring } from '../issuer/keyring-document.ts';
import { rotate, rotationPossibleAt } from '../issuer/keyring.ts';

/** Keys take turns by time, and an admin's machine may have any: what is written goes by the API server's clock. */
export interface KeysChange extends KeysCommand {
  /** The time to go by; asked once the API server has answered. */
  readonly now: () => Date;
}

export interface KeysCommand extends KeysSecretAccess {
  /** Prints one line. */
  readonly out: (line: string) => void;
}

/** `latchkey keys list` */
export async function listKeys({ out, ...access }: KeysCommand): Promise<void> {
  print(await readKeysSecret(access), out);
}

/**
 * `latchkey keys rotate`: the next key signs from now on, and tokens of the last one stay valid until they expire.
 * @throws {KeyringError} `RotationTooEarly` where the next key has not been published for long enough
 */
export async function rotateKeys({ out, now, ...access }: KeysChange): Promise<void> {
  const fresh = await generateKeyPair();
  print(await changeKeyring(access, (keyring) => rotate(keyring, fresh, now())), out);
}

/** Part of `latchkey revoke --all`: every token signed before fails once its verifier has read the JWKS again. */
export async function withdrawKeys({ out, now, ...access }: KeysChange): Promise<void> {
  print(await replaceKeyring(access, now), out);
}

function print(secret: SecretObject, out: KeysCommand['out']): void {
  const keyring = parseKeyring(secret.data);
  const row = (state: string, kid: string, published: string, note: string) =>
    out(`${state.padEnd(9)}${kid.padEnd(45)}${published.padEnd(26)}${note}`.trimEnd());
  const { active, next, retired } = keyring;
  row('STATE', 'KID', 'PUBLISHED', 'NOTE');
  row('active', active.kid, active.createdAt.toISOString(), 'signs every token');
  row(
    'next',
    next.kid,
    next.createdAt.toISOString(),
    `may sign from ${rotationPossibleAt(keyring).toISOString()}`,
  );
  for (const { kid, createdAt, until } of retired)
    row('retired', kid, createdAt.toISOString(), `published until ${until.toISOString()}`);
}
