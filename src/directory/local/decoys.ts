// What a password is held against under a name without an account, so that nobody learns from the time which names have one.
import { createHmac, randomBytes } from 'node:crypto';
import type { LocalAccount } from './accounts.ts';
import { DEFAULT_COST, decoyHash } from './password-hash.ts';
import type { PasswordHash } from './password-hash.ts';

/** @param username as it stands in `accounts`, where it would */
export type Decoys = (username: string, accounts: ReadonlyMap<string, LocalAccount>) => PasswordHash;

/** Where accounts differ in cost, an unknown name takes as long as some account, and always the same one. */
export function decoys(): Decoys {
  const key = randomBytes(32);
  return (username, accounts) => {
    const costs = [...accounts.values()].map(({ hash }) => hash.cost);
    const pick = createHmac('sha256', key).update(username).digest().readUInt32BE(0);
    return decoyHash(costs[pick % costs.length] ?? DEFAULT_COST);
  };
}
