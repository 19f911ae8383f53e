// The log: JSON lines on standard output, with whatever could hold a secret cut out.
import { isNativeError } from 'node:util/types';
import { pino, stdTimeFunctions, type Logger, type LoggerOptions } from 'pino';
import { LatchkeyError } from './errors.ts';

interface NativeError extends Error {
  readonly code?: string | number;
  readonly status?: number;
}

/** A belt beside the braces: nothing under these names is meant to be logged in the first place. */
const SECRET = [
  'password',
  'token',
  'cookie',
  'authorization',
  'AUTH_TOKEN',
  'd',
  'bindPassword',
  'data',
  'body',
];

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

export function createLog(level: string, destination?: { write(line: string): void }): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
    serializers: { err: errorOf },
  };
  return destination ? pino(options, destination) : pino(options);
}
