// What the API server has, or undefined where it has no such thing.
import { hasStatus } from './api-error.ts';

/** @throws whatever `request` rejects with, but for a 404 */
export async function ifFound<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}
