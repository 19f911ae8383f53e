// The log: JSON lines on standard output, with whatever could hold a secret cut out.
import { isNativeError } from 'node:util/types';
import { pino, type Logger, type LoggerOptions } from 'pino';
import { LatchkeyError } from './errors.ts';

interface NativeError extends Error {
  readonly code?: string | number;
  readonly status?: number;
}

/** A belt beside the braces: nothing under these names is meant to be logged in the first place. */
const SECRET = new Set([
  'password',
  'token',
  'cookie',
  'authorization',
  'AUTH_TOKEN',
  'd',
  'bindPassword',
  'data',
  'body',
]);
const REDACTED = '[redacted]';
/** Deeper than anything that is logged. */
const LEVELS = 4;

/**
 * The fields of a line without the values of those names. pino's own redaction takes 20 µs for a line, five times what
 * the line itself does, and every refresh writes one.
 */
function withoutSecrets(fields: object, levels = LEVELS): Record<string, unknown> {
  let safe = fields as Record<string, unknown>;
  for (const [name, value] of Object.entries(fields)) {
    const shown: unknown = SECRET.has(name) ? REDACTED : within(value, levels);
    if (shown === value) continue;
    if (safe === fields) safe = { ...fields };
    safe[name] = shown;
  }
  return safe;
}

/** An Error says what `errorOf` lets it say; a Date, or whatever else knows how it is written, says that. */
function within(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null || isNativeError(value) || 'toJSON' in value) return value;
  if (levels === 1) return '[too deep]';
  if (Array.isArray(value)) return value.map((each: unknown) => within(each, levels - 1));
  return withoutSecrets(value, levels - 1);
}

/** Of an error only what is named here: its other fields may hold a request or an answer. */
function errorOf(error: unknown): object {
  if (!isNativeError(error))
    return { type: typeof error, message: 'something that is not an Error was thrown' };
  const { name, message, stack, code, status, cause } = error as NativeError;
  return {
    type: name,
    message,
    ...(code !== undefined && { code }),
    ...(status !== undefined && { status }),
    ...(isNativeError(cause) && { cause: causeOf(cause) }),
    stack,
  };
}

/** Latchkey's own messages are fit for a log; a library's may quote the file or the answer that it could not read. */
function causeOf(cause: NativeError): string {
  if (cause instanceof LatchkeyError) return `${cause.name}: ${cause.message}`;
  return cause.code === undefined ? cause.name : `${cause.name}: ${cause.code}`;
}

const FLUSH_MS = 50;

/**
 * Lines go out together while there are many, at most `FLUSH_MS` late: one write to a pipe each is what costs most of a
 * line. Whoever reads them too slowly holds nothing up. At the end of the process pino writes what is left.
 */
const standardOutput = () => pino.destination({ sync: false, minLength: 12_288, periodicFlush: FLUSH_MS });

/** As `stdTimeFunctions.isoTime` of pino has it, and in a tenth of its time: the second is written once for its lines. */
function timeOfLine(): () => string {
  let second = Number.NaN;
  let written = '';
  return () => {
    const now = Date.now();
    const milliseconds = now % 1_000;
    if (now - milliseconds !== second) {
      second = now - milliseconds;
      written = new Date(second).toISOString().slice(0, -4);
    }
    return `,"time":"${written}${String(milliseconds).padStart(3, '0')}Z"`;
  };
}

export function createLog(level: string, destination?: { write(line: string): void }): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: timeOfLine(),
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields) => withoutSecrets(fields),
    },
    // What a child log is bound to is serialised, and passes no formatter.
    serializers: { ...Object.fromEntries([...SECRET].map((name) => [name, () => REDACTED])), err: errorOf },
  };
  return pino(options, destination ?? standardOutput());
}
