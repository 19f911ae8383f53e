// Splits a stream of UTF-8 into its lines.

const NEWLINE = 0x0a;

/**
 * Every byte is looked at once and kept until its line is complete; half a line at the end is not a line.
 * @throws {RangeError} at a line of more than `maxBytes`
 */
export async function* lines(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let size = 0;
  const keep = (part: Uint8Array) => {
    parts.push(part);
    size += part.length;
    if (size > maxBytes) throw new RangeError(`a line of more than ${maxBytes} bytes`);
  };
  for await (const chunk of chunks) {
    let start = 0;
    // In UTF-8 no part of another character looks like a newline (RFC 3629, section 3).
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end));
      const line = Buffer.concat(parts, size).toString('utf8');
      parts = [];
      size = 0;
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start < chunk.length) keep(chunk.subarray(start));
  }
}
