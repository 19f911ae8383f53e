// Connects to the first server of a list that takes the connection, beginning with the one that did so last.
import type { TLSSocket } from 'node:tls';
import { FaultyAnswer } from '../fault.ts';
import { connect } from './connection.ts';
import type { Endpoint } from './connection.ts';

export type Connect = (signal: AbortSignal) => Promise<TLSSocket>;

/**
 * @param timeoutMs for all servers together: each has its share, so that one which swallows every packet leaves time
 *   to ask the others
 */
export function connector(endpoints: readonly [Endpoint, ...Endpoint[]], timeoutMs: number): Connect {
  let preferred = 0;
  const shareMs = timeoutMs / endpoints.length;

  return async (signal) => {
    const first = preferred;
    for (let tried = 0; ; tried++) {
      const index = (first + tried) % endpoints.length;
      try {
        const socket = await attempt(endpoints[index] ?? endpoints[0], shareMs, signal);
        preferred = index;
        return socket;
      } catch (error) {
        if (signal.aborted || tried === endpoints.length - 1) throw error;
      }
    }
  };
}

/** The socket outlives the time limit of the attempt: from then on it heeds `signal` alone. */
async function attempt(endpoint: Endpoint, limitMs: number, signal: AbortSignal): Promise<TLSSocket> {
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(
    () =>
      controller.abort(
        new FaultyAnswer('TooSlow', `it took longer than ${Math.round(limitMs)} ms to connect`),
      ),
    limitMs,
  );
  try {
    signal.throwIfAborted();
    const socket = await connect(endpoint, controller.signal);
    socket.once('close', () => signal.removeEventListener('abort', abort));
    return socket;
  } catch (error) {
    signal.removeEventListener('abort', abort);
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}
