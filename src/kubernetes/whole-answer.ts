// One request and all of its answer: what most requests are, without the price of a stream for each body.
import type { Dispatcher } from 'undici';
import { MAX_BYTES, tooLong } from './answer.ts';

export interface WholeAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Limits {
  readonly limitMs: number;
  /** What the request fails with after `limitMs`. */
  readonly late: () => Error;
  readonly signal: AbortSignal | undefined;
}

/**
 * Fails at once when its time is over, even where no connection has taken the request up yet; then it is never sent.
 * @param prepare belongs to the time: credentials may have to be read
 * @throws {RangeError} where the answer is longer than 64 MiB; else what undici throws
 */
export function wholeAnswer(
  dispatcher: Dispatcher,
  prepare: () => Promise<Dispatcher.DispatchOptions>,
  { limitMs, late, signal }: Limits,
): Promise<WholeAnswer> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<WholeAnswer>();
  const chunks: Buffer[] = [];
  let size = 0;
  let head: Omit<WholeAnswer, 'text'> = { statusCode: 0, headers: {} };
  let controller: Dispatcher.DispatchController | undefined;
  let givenUp: Error | undefined;

  const end = () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  };
  const giveUp = (reason: Error) => {
    givenUp = reason;
    end();
    reject(reason);
    controller?.abort(reason);
  };
  const timer = setTimeout(() => giveUp(late()), limitMs);
  const stop = () => giveUp(signal?.reason as Error);
  signal?.addEventListener('abort', stop, { once: true });

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      controller = started;
      if (givenUp) started.abort(givenUp);
    },
    onResponseStart(_controller, statusCode, headers) {
      head = { statusCode, headers };
    },
    onResponseData(_controller, chunk) {
      size += chunk.length;
      if (size > MAX_BYTES) giveUp(tooLong());
      else chunks.push(chunk);
    },
    onResponseEnd() {
      end();
      resolve({ ...head, text: Buffer.concat(chunks, size).toString('utf8') });
    },
    onResponseError(_controller, error) {
      end();
      reject(error);
    },
  };
  const send = async () => {
    const request = await prepare();
    if (!givenUp) dispatcher.dispatch(request, handler);
  };
  send().catch(giveUp);
  return promise;
}
