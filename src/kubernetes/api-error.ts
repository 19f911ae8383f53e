// A refusal by the API server, with the reason that Kubernetes gives it.
import { LatchkeyError } from '../errors.ts';

/** metav1.Status, as far as it is of use here. */
export interface StatusBody {
  readonly reason?: string;
  readonly message?: string;
}

/**
 * The API server refused, or could not be asked (`status` 0). `reason` is metav1.Status.reason, for example NotFound,
 * Conflict, AlreadyExists, Forbidden, Expired, TooManyRequests.
 * @see https://github.com/kubernetes/apimachinery/blob/master/pkg/apis/meta/v1/types.go StatusReason
 */
export class ApiError extends LatchkeyError<'ApiRefused'> {
  readonly status: number;
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  constructor(
    request: string,
    status: number,
    { reason = '', message = '' }: StatusBody,
    retryAfterMs?: number,
  ) {
    super('ApiRefused', [`${request}: ${status}`, reason, shorten(message)].filter(Boolean).join(' '));
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The API server gave no answer: no connection, TLS refused, a time-out. */
export class ApiUnreachableError extends LatchkeyError<'ApiUnreachable'> {
  readonly status = 0;
}

/** An admission plugin may quote the object that it refuses, so no more of a message is kept than a person reads. */
function shorten(message: string): string {
  return message.length > 500 ? `${message.slice(0, 500)}…` : message;
}

/** Reads the body of a refusal; a proxy between us and the API server answers in its own words. */
export function parseStatus(text: string): StatusBody {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { message: text.trim() };
  }
  if (typeof body !== 'object' || body === null) return { message: text.trim() };
  const { reason, message } = body as Record<string, unknown>;
  return {
    ...(typeof reason === 'string' && { reason }),
    ...(typeof message === 'string' && { message }),
  };
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof ApiError && statuses.includes(error.status);
}
