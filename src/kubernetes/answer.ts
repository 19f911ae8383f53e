// Reads the body of an answer, as far as the memory should hold it.

/** A page of 500 large objects fits; an answer without end does not. */
export const MAX_BYTES = 64 * 1024 * 1024;

/** @throws {RangeError} where it is longer than 64 MiB */
export async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_BYTES) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export const tooLong = () => new RangeError(`an answer of more than ${MAX_BYTES} bytes`);

/** @throws {TypeError} where it is not JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The engine's own error would quote the answer, which may hold a token.
    throw new TypeError('the answer is not JSON: is that address the API server?');
  }
}
