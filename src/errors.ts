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
