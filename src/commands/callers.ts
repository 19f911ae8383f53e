// `latchkey callers`: who may ask Latchkey about tokens. A token of a caller is shown once, when it is made.
import { addCaller, callerNames, removeCaller, type CallersAccess } from '../verification/callers/secret.ts';
import { newCallerToken } from '../verification/callers/token.ts';

export interface CallersCommand extends CallersAccess {
  /** Prints one line: of `add`, the token and nothing else. */
  readonly out: (line: string) => void;
  /** Says something to the person. */
  readonly note: (line: string) => void;
}

/** `latchkey callers add` @throws {CallersError} `CallerExists`, `TooManyCallers` */
export async function addCallerNamed({ out, note, ...access }: CallersCommand, name: string): Promise<void> {
  const { token, digest } = newCallerToken();
  await addCaller(access, name, digest);
  note(`The token of the caller ${name}. It is not kept and cannot be shown again:`);
  out(token);
}

/** `latchkey callers list` */
export async function listCallers({ out, note, ...access }: CallersCommand): Promise<void> {
  const names = await callerNames(access);
  for (const name of names) out(name);
  if (names.length === 0) note(`There are no callers in the namespace ${access.namespace}.`);
}

/** `latchkey callers remove`: its token is refused from now on. @throws {CallersError} `CallerUnknown` */
export async function removeCallerNamed({ note, ...access }: CallersCommand, name: string): Promise<void> {
  await removeCaller(access, name);
  note(`The caller ${name} is out.`);
}
