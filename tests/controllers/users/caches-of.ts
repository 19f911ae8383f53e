// Stores as an operator has them whose watches are in sync and are proven, or not, as a test says.
import type { Freshness } from '../../../src/kubernetes/freshness.ts';
import type { Caches, Stores } from '../../../src/observation/caches.ts';

export function cachesOf(stores: Stores, freshness: Freshness): Caches {
  const idle = Promise.resolve();
  return { ...stores, userFreshness: freshness, policyFreshness: freshness, synced: idle, done: idle };
}
