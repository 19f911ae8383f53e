// What a caller says of itself in the Authorization header.
import type { CallerCredentials } from '../../verification/callers/callers.ts';

const BEARER = /^Bearer +([\x21-\x7e]+)$/i;
const BASIC = /^Basic +([A-Za-z0-9+/]+={0,2})$/i;

/** @param rawHeaders as Node has them; to sort all of them by name takes longer than to look for one. */
export function authorizationHeaders(rawHeaders: readonly string[]): readonly string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.toLowerCase() === 'authorization') values.push(rawHeaders[at + 1] ?? '');
  return values;
}

/**
 * @param values the header, as often as it came
 * @returns undefined where there is none, more than one, or one that is neither Bearer (RFC 6750, section 2.1) nor Basic
 * with the client's name and secret (RFC 6749, section 2.3.1)
 */
export function readAuthorization(values: readonly string[]): CallerCredentials | undefined {
  const [header] = values;
  if (header === undefined || values.length > 1) return undefined;
  const token = BEARER.exec(header)?.[1];
  if (token !== undefined) return { token };
  const encoded = BASIC.exec(header)?.[1];
  return encoded === undefined ? undefined : readBasic(Buffer.from(encoded, 'base64').toString('utf8'));
}

function readBasic(pair: string): CallerCredentials | undefined {
  const colon = pair.indexOf(':');
  if (colon < 1) return undefined;
  try {
    return { name: formDecode(pair.slice(0, colon)), token: formDecode(pair.slice(colon + 1)) };
  } catch {
    return undefined; // Not a form's encoding: then it is not what a client of RFC 6749 sends.
  }
}

/** @throws {URIError} */
function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
