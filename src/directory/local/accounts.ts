// Reads the accounts of the local directory out of text, one a line, in the manner of htpasswd.
import { foldUsername } from '../../domain/effective.ts';
import { DirectoryError } from '../directory.ts';
import { isUsername } from '../username.ts';
import { parsePasswordHash } from './password-hash.ts';
import type { PasswordHash } from './password-hash.ts';

export interface LocalAccount {
  readonly hash: PasswordHash;
  readonly locked: boolean;
}

/**
 * Reads lines of `username:$scrypt$ln=15,r=8,p=3$<salt>$<hash>`. `!` before the hash locks the account; `#` begins
 * a comment line; empty lines are skipped.
 * @returns the accounts by folded username
 * @throws {DirectoryError} `DirectoryMisconfigured`, with the number of the line and none of its content
 */
export function parseAccounts(text: string): ReadonlyMap<string, LocalAccount> {
  const accounts = new Map<string, LocalAccount>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const { username, account } = parseLine(line, index + 1);
    const key = foldUsername(username);
    if (accounts.has(key)) throw wrong(index + 1, 'this username is there already (case does not count)');
    accounts.set(key, account);
  }
  return accounts;
}

function parseLine(line: string, number: number): { username: string; account: LocalAccount } {
  const colon = line.indexOf(':');
  const username = line.slice(0, colon);
  if (colon < 1 || !isUsername(username) || username.trim() !== username) {
    throw wrong(number, 'it must begin with a username and a colon');
  }
  const rest = line.slice(colon + 1);
  const locked = rest.startsWith('!');
  const hash = parsePasswordHash(locked ? rest.slice(1) : rest);
  if (!hash) {
    throw wrong(
      number,
      'after the colon it needs $scrypt$ln=...,r=8,p=...$salt$hash, with ln from 13 to 17 and p * 2^ln at most 2^17',
    );
  }
  return { username, account: { hash, locked } };
}

function wrong(line: number, fault: string): DirectoryError {
  return new DirectoryError('DirectoryMisconfigured', `Line ${line} of the accounts is wrong: ${fault}.`, {
    fault: 'Malformed',
  });
}
