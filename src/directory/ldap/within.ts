// Puts a time limit on a conversation that has none of its own.
import type { Socket } from 'node:net';
import { FaultyAnswer } from '../fault.ts';

/** Destroys the socket, and with it whatever waits for an answer on it, when `work` takes longer. */
export async function within<T>(socket: Socket, limitMs: number, work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(
    () => socket.destroy(new FaultyAnswer('TooSlow', `it took longer than ${limitMs} ms`)),
    limitMs,
  );
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}
