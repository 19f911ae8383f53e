// What a licence says: its fixed kind, and the claims that every one must have.
import { z } from 'zod';
import type { License } from '../domain/license.ts';

/** RFC 8725, section 3.11: no other kind of token passes for a licence. */
export const TYPE = 'latchkey-license+jwt';
export const ISSUER = 'https://latchkey.dev/license';
export const AUDIENCE = 'latchkey';

/** The last second of the year 9999, after which a date has no four-digit year. */
const LAST_SECOND = 253_402_300_799;
const seconds = z.int().min(0).max(LAST_SECOND);

/** It is shown in terminals, conditions and logs. */
export const customerName = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{C}]+$/u, 'must not contain control characters')
  .refine((name) => name === name.trim(), 'must not begin or end with a space');

export const userCount = z.int().min(1).max(10_000_000);

/** NumericDate (RFC 7519, section 2) in whole seconds. Claims that are not named here mean nothing. */
export const licenseClaims = z
  .object({
    iss: z.literal(ISSUER),
    aud: z.literal(AUDIENCE),
    jti: z.string().regex(/^[\w-]{1,64}$/),
    customer: customerName,
    users: userCount,
    iat: seconds,
    nbf: seconds,
    exp: seconds,
  })
  .refine(({ nbf, exp }) => nbf < exp, { message: 'it ends before it begins', path: ['exp'] });

export type LicenseClaims = z.infer<typeof licenseClaims>;

export function licenseOf({ jti, customer, users, nbf, exp }: LicenseClaims): License {
  return { id: jti, customer, users, notBefore: new Date(nbf * 1_000), expiresAt: new Date(exp * 1_000) };
}
