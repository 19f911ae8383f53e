// The log: JSON lines on standard output, with whatever could hold a secret cut out.
import { pino, stdTimeFunctions, type Logger, type LoggerOptions } from 'pino';

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

/** An error's own fields may hold a request or an answer; its cause may be a library's error with anything in it. */
function errorOf(error: Error & { code?: unknown; status?: unknown }): object {
  const { name, message, stack, code, status, cause } = error;
  return {
    type: name,
    message,
    ...(code !== undefined && { code }),
    ...(status !== undefined && { status }),
    ...(cause instanceof Error && { cause: `${cause.name}: ${cause.message}` }),
    stack,
  };
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
