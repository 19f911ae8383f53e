// The token of a caller: how it is made, and what is kept of it.
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Tells people, and scanners of repositories, what has leaked. */
const PREFIX = 'lkc_';
const FORM = /^sha256:([0-9a-f]{64})$/;

export interface NewCallerToken {
  /** Shown once. */
  readonly token: string;
  /** What is kept. */
  readonly digest: string;
}

const sha256 = (token: string) => hash('sha256', token, 'buffer');

/** 256 random bits: a hash without salt or cost is enough for what nobody can guess. */
export function newCallerToken(): NewCallerToken {
  const token = PREFIX + randomBytes(32).toString('base64url');
  return { token, digest: `sha256:${sha256(token).toString('hex')}` };
}

/** @returns the bytes of a kept digest; undefined for anything that was not written here */
export function parseDigest(digest: string): Buffer | undefined {
  const hex = FORM.exec(digest)?.[1];
  return hex === undefined ? undefined : Buffer.from(hex, 'hex');
}

/** Compares with every one of them, whichever it is, in the same time. @returns the name of the caller */
export function callerOf(token: string, callers: ReadonlyMap<string, Buffer>): string | undefined {
  const given = sha256(token);
  let found: string | undefined;
  for (const [name, kept] of callers) if (timingSafeEqual(kept, given)) found = name;
  return found;
}
