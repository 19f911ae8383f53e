// The hands of an admin, who tries again until the API server has said yes.
import { setTimeout as delay } from 'node:timers/promises';
import { hasStatus } from '../../../src/kubernetes/api-error.ts';
import type { ApiRequest, KubernetesClient } from '../../../src/kubernetes/client.ts';

const RETRY_MS = 200;
const PATIENCE_MS = 60_000;
const IN_FLIGHT = 16;

/** For writes that may be done twice: after a lost answer nobody knows whether they were. */
export async function insist<T>(client: KubernetesClient, request: ApiRequest): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await client.request<T>(request);
    } catch (error) {
      if (hasStatus(error, 400, 403, 404, 409, 422) || performance.now() > deadline) throw error;
      await delay(RETRY_MS);
    }
  }
}

export function mergePatch(path: string, body: object): ApiRequest {
  return { method: 'PATCH', path, contentType: 'application/merge-patch+json', body };
}

/** Some at a time, in any order. @throws the first failure */
export async function forEach<T>(items: Iterable<T>, act: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await act(item);
    }),
  );
}
