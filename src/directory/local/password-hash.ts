// Hashes and checks passwords with scrypt (RFC 7914), written in the PHC string format.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { DirectoryError } from '../directory.ts';

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
  scrypt,
);

// https://github.com/P-H-C/phc-string-format: base64 without padding.
const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

const SALT_BYTES = 16;
const HASH_BYTES = 32;
const MAX_PART_BYTES = 64;
const MIN_LN = 13;
const MAX_LN = 17;
const MAX_ITERATIONS = 2 ** MAX_LN;

export interface ScryptCost {
  /** The binary logarithm of N. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

export interface PasswordHash {
  readonly cost: ScryptCost;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** One of the sets that OWASP's Password Storage Cheat Sheet holds equal: 32 MiB, three times. */
export const DEFAULT_COST: ScryptCost = { ln: 15, r: 8, p: 3 };

/**
 * Hashes a password for a line of accounts.
 * @returns `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`
 * @throws {DirectoryError} `DirectoryMisconfigured` for an empty password
 */
export async function hashPassword(password: string, cost: ScryptCost = DEFAULT_COST): Promise<string> {
  if (password === '') {
    throw new DirectoryError('DirectoryMisconfigured', 'An account needs a password that is not empty.');
  }
  const { ln, r, p } = cost;
  const salt = randomBytes(SALT_BYTES);
  const hash = await scryptOf(password, salt, HASH_BYTES, cost);
  return `$scrypt$ln=${ln},r=${r},p=${p}$${base64(salt)}$${base64(hash)}`;
}

/**
 * Reads a PHC string of scrypt. The cost is bounded by OWASP's sets: at most 128 MiB (ln=17, r=8) and as much work
 * as ln=17 with p=1, so that a line cannot stop the server.
 * @returns undefined for anything else
 */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const match = PHC.exec(text);
  if (!match) return undefined;
  const cost = { ln: Number(match[1]), r: Number(match[2]), p: Number(match[3]) };
  const salt = bytesOf(match[4] ?? '');
  const hash = bytesOf(match[5] ?? '');
  return isAllowed(cost) && salt && hash ? { cost, salt, hash } : undefined;
}

/** Whether this is the password; takes as long either way. */
export async function isPassword(password: string, { cost, salt, hash }: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await scryptOf(password, salt, hash.length, cost), hash);
}

/** A hash of no password, for names without an account: checking it costs as much as checking a real one. */
export function decoyHash(cost: ScryptCost): PasswordHash {
  return { cost, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };
}

function isAllowed({ ln, r, p }: ScryptCost): boolean {
  return ln >= MIN_LN && ln <= MAX_LN && r === 8 && p >= 1 && p * 2 ** ln <= MAX_ITERATIONS;
}

// One password typed on two machines may come in two normal forms (RFC 8265, section 4.2.2).
function scryptOf(password: string, salt: Buffer, length: number, { ln, r, p }: ScryptCost): Promise<Buffer> {
  const N = 2 ** ln;
  return derive(password.normalize('NFC'), salt, length, { N, r, p, maxmem: 256 * N * r });
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

function bytesOf(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  const isExact = base64(bytes) === text;
  return isExact && bytes.length >= SALT_BYTES && bytes.length <= MAX_PART_BYTES ? bytes : undefined;
}
