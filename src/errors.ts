// The base of every error that Latchkey throws on purpose: a stable code for machines, a sentence for people.

/**
 * An error with a stable `code`. `message` says what is wrong and what to do next; it never contains a
 * password, a token or a key, because it may reach a log line, an Event or a status.
 */
export class LatchkeyError<Code extends string = string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** One word for a metric: the code of an error of ours, with the HTTP status where it has one; few values in all. */
export function codeOf(error: unknown): string {
  if (!(error instanceof LatchkeyError)) return 'Unexpected';
  const status = 'status' in error && typeof error.status === 'number' ? error.status : 0;
  return status === 0 ? error.code : `${error.code}${status}`;
}

/** What Node or a library calls its error, in brackets for a sentence, such as ` (ENOENT)`: the rest may quote a file. */
export function foreignCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? ` (${String(error.code)})` : '';
}
