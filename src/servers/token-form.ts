// The form in which OAuth asks about a token: application/x-www-form-urlencoded, with the token in it once.
import { LONGEST_TOKEN } from '../issuer/verify.ts';

/** A token has nothing in it that a form would escape; `token_type_hint` and others leave room enough. */
export const FORM_BYTES = LONGEST_TOKEN + 4 * 1024;

/** @returns undefined where it is missing or empty, or where anything is there more than once (RFC 6749, section 3.2) */
export function tokenOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || !body || Object.values(body).some(Array.isArray)) return undefined;
  const token = 'token' in body ? body.token : undefined;
  return typeof token === 'string' && token !== '' ? token : undefined;
}
