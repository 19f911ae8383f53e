// What a machine is told when a request fails: the status and its name, nothing of the inside.
import { STATUS_CODES } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { baselineHeaders } from './baseline-headers.ts';

/** The status of an error that the caller is to blame for (4xx), or 500. */
export function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}

/** An error handler for fastify: logs what is our fault and answers with a short JSON body. */
export function sendPlainError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const status = statusOf(error);
  if (status === 500) request.log.error({ err: error }, 'request failed');
  sendStatus(reply, status);
}

/** Answers with nothing but a status. */
export function sendStatus(reply: FastifyReply, status: number): void {
  void reply.headers(baselineHeaders).code(status).send({ status, error: STATUS_CODES[status] });
}
