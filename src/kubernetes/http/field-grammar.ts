// What may stand in a header field, for those that we write and those that we read.

/** RFC 9110, section 5.6.2. */
export const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
/**
 * What its value may not have (RFC 9110, section 5.5), nor any line of a head. A line feed alone, too: what reads it as the
 * end of a line would read another message (RFC 9112, section 11.1).
 */
export const NOT_IN_A_FIELD = /[^\t -~\u0080-\u00FF]/;
