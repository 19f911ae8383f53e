// Writes a request of HTTP/1.1 (RFC 9112), head and body in one piece, so that it leaves in one packet.
import { FIELD_NAME, NOT_IN_A_FIELD } from './field-grammar.ts';

export interface Outgoing {
  readonly method: string;
  /** With its query, as it stands in the request line. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
}

const TARGET = /^\/[!-~]*$/;

/** @throws {TypeError} where a path or header would say more than it should (RFC 9110, section 5.5) */
export function requestBytes(host: string, { method, path, headers, body }: Outgoing): Buffer {
  if (!TARGET.test(path))
    throw new TypeError('the path begins with no slash, or has characters that may not stand in one');
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n`;
  for (const name in headers) {
    const value = headers[name] ?? '';
    if (!FIELD_NAME.test(name))
      throw new TypeError('the name of a header has characters that may not stand in one');
    if (NOT_IN_A_FIELD.test(value))
      throw new TypeError(`the header ${name} has characters that may not stand in one`);
    head += `${name}: ${value}\r\n`;
  }
  if (body === undefined) return Buffer.from(`${head}\r\n`, 'latin1');
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  head += `content-length: ${length}\r\n\r\n`;
  const bytes = Buffer.allocUnsafe(head.length + length);
  bytes.write(head, 'latin1');
  if (typeof body === 'string') bytes.write(body, head.length, 'utf8');
  else bytes.set(body, head.length);
  return bytes;
}
