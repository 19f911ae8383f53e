// Remembers which version of each Secret this process wrote, and what it wrote, so that anybody else's is noticed.
import type { WrittenSecret } from '../../domain/observed.ts';
import type { CachedSecret } from '../../observation/views.ts';

export interface Ledger {
  record(secret: CachedSecret, written: WrittenSecret): void;
  /** What this process wrote as exactly this version; undefined for a version that anybody else wrote. */
  written(secret: CachedSecret): WrittenSecret | undefined;
  forget(uid: string): void;
}

/**
 * Field managers, annotations and labels can be forged; a resourceVersion that came back from our own write cannot.
 * After a restart the ledger is empty, so every Secret is written once: it may have been tampered with meanwhile.
 */
export function ledger(): Ledger {
  const entries = new Map<string, { resourceVersion: string; written: WrittenSecret }>();
  return {
    record: ({ uid, resourceVersion }, written) => entries.set(uid, { resourceVersion, written }),
    written({ uid, resourceVersion }) {
      const entry = entries.get(uid);
      return entry?.resourceVersion === resourceVersion ? entry.written : undefined;
    },
    forget: (uid) => entries.delete(uid),
  };
}
