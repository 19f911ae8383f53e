// Turns an ECDSA signature as OpenSSL writes it into one as JOSE writes it.

/** Of R and of S, with P-256. */
const HALF = 32;
const INTEGER = 0x02;

/**
 * RFC 7518, section 3.4: R and S side by side, each as 32 bytes, from the DER of RFC 3279, section 2.2.3. node:crypto can
 * do so too (`dsaEncoding`), but takes more time for it than for the signature.
 * @param der the signature by a P-256 key: a SEQUENCE of two INTEGERs, all of lengths below 128
 */
export function jwsSignature(der: Buffer): Buffer {
  const joined = Buffer.alloc(2 * HALF);
  const end = place(der, 2, joined, HALF);
  place(der, end, joined, 2 * HALF);
  return joined;
}

/** Copies the INTEGER at `at` so that it ends at `until`. @returns where it ends in `der` */
function place(der: Buffer, at: number, joined: Buffer, until: number): number {
  const length = der[at + 1] ?? 0;
  const end = at + 2 + length;
  // A leading zero only says that the number is positive.
  const start = Math.max(at + 2, end - HALF);
  if (der[at] !== INTEGER || length === 0 || end > der.length)
    throw new RangeError('not the signature of a P-256 key');
  der.copy(joined, until - (end - start), start, end);
  return end;
}
