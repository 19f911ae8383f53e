// What may stand in a header field, for those that we write and those that we read: parts of patterns.

/** RFC 9110, section 5.6.2. */
export const FIELD_NAME = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
/**
 * RFC 9110, section 5.5, and nothing else in any line of a head. No line feed alone, either: what reads it as the end of a
 * line would read another message (RFC 9112, section 11.1).
 */
export const FIELD_VALUE = '[\\t -~\\u0080-\\u00FF]*';
