// What the portal is told at start-up, and the rules for its two addresses.
import type { BlockList } from 'node:net';
import { LatchkeyError } from '../../errors.ts';
import type { Access } from '../../sessions/access.ts';

export interface PortalSettings {
  readonly access: Access;
  /** From `parseExternalUrl`. */
  readonly externalUrl: URL;
  /** Whom to ask, to stand after "Ask": `the platform team (platform@example.com)`. Shown as text, not as HTML. */
  readonly contact: string;
  /** Where an expired password is changed; from `parsePasswordChangeUrl`. */
  readonly passwordChangeUrl?: URL;
  /** The proxies whose `X-Forwarded-For` is believed. */
  readonly proxies: BlockList;
  readonly now: () => Date;
}

/** An address in the settings that the portal cannot use. */
export class PortalUrlError extends LatchkeyError<'ExternalUrlInvalid' | 'PasswordChangeUrlInvalid'> {}

/**
 * Reads the address that people open the portal at. It is an origin: the portal's cookie is `__Host-` and so
 * belongs to a whole host, over HTTPS (RFC 6265bis, section 4.1.3.2), and the checks of `Origin` and `Host` compare
 * with it.
 * @throws {PortalUrlError}
 */
export function parseExternalUrl(text: string): URL {
  const url = parseHttps(text);
  if (url === undefined || text.replace(/\/$/, '').toLowerCase() !== originAsWritten(url, text)) {
    throw new PortalUrlError(
      'ExternalUrlInvalid',
      `The external URL ${JSON.stringify(text)} must be https:// with a host, a port if it is not 443, and ` +
        'nothing else, such as https://latchkey.example.com.',
    );
  }
  return url;
}

/**
 * Reads the address where people change an expired password: they type their password there, so it is HTTPS.
 * @throws {PortalUrlError}
 */
export function parsePasswordChangeUrl(text: string): URL {
  const url = parseHttps(text);
  if (url === undefined) {
    throw new PortalUrlError(
      'PasswordChangeUrlInvalid',
      `The password change URL ${JSON.stringify(text)} must start with https:// and hold no username or password.`,
    );
  }
  return url;
}

function parseHttps(text: string): URL | undefined {
  const url = URL.parse(text);
  return url?.protocol === 'https:' && url.username === '' && url.password === '' ? url : undefined;
}

/** An explicit `:443` is the same origin without it. */
function originAsWritten(url: URL, text: string): string {
  return /:443\/?$/.test(text) ? `${url.origin}:443` : url.origin;
}
