// Whether a client already has what it asks for (RFC 9110, section 13.1.2).

/** @param ifNoneMatch the header as it came @param etag a strong entity tag, with its quotes */
export function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  // A proxy that compresses makes the tag weak; for this header that does not count.
  return ifNoneMatch.split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')));
}
