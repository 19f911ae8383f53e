// The browsers in which a user is signed in: each holds a random cookie, the User holds its digest.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Browser } from '../api/user.ts';
import { timestamp } from '../domain/conditions.ts';

/** A working day; scripts keep their token however long the browser stays signed in. */
const BROWSER_MS = 12 * 60 * 60 * 1_000;
/** More than one person uses; the oldest is signed out. */
const MOST_BROWSERS = 5;

export interface NewBrowser {
  readonly cookie: string;
  readonly browser: Browser;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest();

/** The cookie names the User, so that it is found without a search, and carries 256 random bits. */
export function newBrowser(userName: string, now: Date): NewBrowser {
  const cookie = `${userName}.${randomBytes(32).toString('base64url')}`;
  return {
    cookie,
    browser: {
      digest: sha256(cookie).toString('hex'),
      expiresAt: timestamp(new Date(now.getTime() + BROWSER_MS)),
    },
  };
}

/** @returns the name of the User that the cookie claims to be of; undefined where it is no cookie of ours. */
export function userNameOf(cookie: string): string | undefined {
  return /^([a-z0-9-]{1,63})\.[A-Za-z0-9_-]{43}$/.exec(cookie)?.[1];
}

/** The browsers that are still signed in, without the one that holds `cookie`. */
export function withoutBrowser(
  browsers: readonly Browser[] | undefined,
  cookie: string,
  now: Date,
): Browser[] {
  return live(browsers, now).filter((browser) => !holds(browser, cookie));
}

export function withBrowser(browsers: readonly Browser[] | undefined, added: Browser, now: Date): Browser[] {
  return [...live(browsers, now), added].slice(-MOST_BROWSERS);
}

export function isSignedIn(browsers: readonly Browser[] | undefined, cookie: string, now: Date): boolean {
  return live(browsers, now).some((browser) => holds(browser, cookie));
}

function live(browsers: readonly Browser[] | undefined, now: Date): Browser[] {
  return (browsers ?? []).filter(({ expiresAt }) => Date.parse(expiresAt) > now.getTime());
}

function holds({ digest }: Browser, cookie: string): boolean {
  const expected = Buffer.from(digest, 'hex');
  const given = sha256(cookie);
  return expected.length === given.length && timingSafeEqual(expected, given);
}
