// What Latchkey asks of a directory about everybody: who is there, and who is not to have a token any more.
import type { DirectoryView } from '../../domain/finding.ts';
import type { Hearing } from '../../domain/hearing.ts';

/** Whom to watch: the usernames of all Users. */
export interface Wanted {
  /** @param folded as `foldUsername` makes it */
  has(folded: string): boolean;
  all(): Iterable<string>;
  /** As an admin wrote it: the directory may not fold as Latchkey does. */
  spelling(folded: string): string;
}

export interface DirectoryWatch {
  /** @param folded a username */
  find(folded: string): DirectoryView;
  hearing(): Hearing;
  /** When the questions were asked that were answered last; undefined where none was. */
  looks(): { readonly askedAt: Date | undefined; readonly sweptAt: Date | undefined };
  /** Asks for a username soon: its User is new. */
  lookFor(folded: string): void;
  /** Told of usernames of which something else is known now. */
  onFindings(listener: (folded: readonly string[]) => void): void;
  /** Told when the directory falls silent, and when it is heard again. */
  onHearing(listener: () => void): void;
  /** Watches until `signal` aborts. It begins without knowing anything, and never throws. */
  run(signal: AbortSignal): Promise<void>;
}
