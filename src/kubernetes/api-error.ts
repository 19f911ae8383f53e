// A refusal by the API server, with the reason that Kubernetes gives it.
import { LatchkeyError } from '../errors.ts';

/** metav1.Status, as far as it is of use here. */
export interface StatusBody {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
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

  constructor(request: string, status: number, body: StatusBody, retryAfterMs?: number) {
    super('ApiRefused', `${request}: ${status} ${body.reason ?? ''} ${shorten(body.message)}`.trim());
    this.status = status;
    this.reason = body.reason ?? '';
    this.retryAfterMs = retryAfterMs;
  }
}

/** The API server gave no answer: no connection, TLS refused, a time-out. */
export class ApiUnreachableError extends LatchkeyError<'ApiUnreachable'> {
  readonly status = 0;
}

/** An admission plugin may quote the object that it refuses, so no more of a message is kept than a person reads. */
function shorten(message: string | undefined): string {
  return message === undefined ? '' : message.length > 500 ? `${message.slice(0, 500)}…` : message;
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof ApiError && statuses.includes(error.status);
}
