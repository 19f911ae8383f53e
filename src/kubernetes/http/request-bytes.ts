// Writes a request of HTTP/1.1 (RFC 9112), head and body in one piece, so that it leaves in one packet.
import { FIELD_NAME, FIELD_VALUE } from './field-grammar.ts';

export interface Outgoing {
  readonly method: string;
  /** With its query, as it stands in the request line. */
  readonly path: string;
  /** As `fieldLines` writes them. */
  readonly fields: string;
  readonly body: string | Uint8Array | undefined;
}

const TARGET = /^\/[!-~]*$/;
const NAME = new RegExp(`^${FIELD_NAME}$`);
const VALUE = new RegExp(`^${FIELD_VALUE}$`);

/**
 * The lines of a head that say more than what is asked of whom. Whoever sends many requests writes them once.
 * @throws {TypeError} where a header would say more than it should (RFC 9110, section 5.5)
 */
export function fieldLines(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => {
      if (!NAME.test(name))
        throw new TypeError('the name of a header has characters that may not stand in one');
      if (!VALUE.test(value))
        throw new TypeError(`the header ${name} has characters that may not stand in one`);
      return `${name}: ${value}\r\n`;
    })
    .join('');
}

/** @throws {TypeError} where a path would say more than it should */
export function requestBytes(host: string, { method, path, fields, body }: Outgoing): Buffer {
  if (!TARGET.test(path))
    throw new TypeError('the path begins with no slash, or has characters that may not stand in one');
  const head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${fields}`;
  if (body === undefined) return Buffer.from(`${head}\r\n`, 'latin1');
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  const whole = `${head}content-length: ${length}\r\n\r\n`;
  const bytes = Buffer.allocUnsafe(whole.length + length);
  bytes.write(whole, 'latin1');
  if (typeof body === 'string') bytes.write(body, whole.length, 'utf8');
  else bytes.set(body, whole.length);
  return bytes;
}
