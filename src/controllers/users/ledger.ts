// Remembers which version of each Secret this process wrote, and what it wrote, so that anybody else's is noticed.
import type { WrittenSecret } from '../../domain/observed.ts';
import type { CachedSecret } from '../../observation/views.ts';

export interface Ledger {
  /** @param jti of the token that was written */
  record(secret: CachedSecret, written: WrittenSecret, jti?: string): void;
  /** What this process wrote as exactly this version; undefined for a version that anybody else wrote. */
  written(secret: CachedSecret): WrittenSecret | undefined;
  /**
   * The token of ours that the Secret holds, or that somebody has edited since. `jti` is undefined where another
   * process wrote it, as an annotation says that anyone may have forged: good for telling, nothing else.
   */
  held(secret: CachedSecret): { readonly jti: string | undefined } | undefined;
  forget(uid: string): void;
}

/**
 * Field managers, annotations and labels can be forged; a resourceVersion that came back from our own write cannot.
 * After a restart the ledger is empty, so every Secret is written once: it may have been tampered with meanwhile.
 */
export function ledger(): Ledger {
  const entries = new Map<
    string,
    { resourceVersion: string; written: WrittenSecret; jti: string | undefined }
  >();
  return {
    record: ({ uid, resourceVersion }, written, jti) => entries.set(uid, { resourceVersion, written, jti }),
    written({ uid, resourceVersion }) {
      const entry = entries.get(uid);
      return entry?.resourceVersion === resourceVersion ? entry.written : undefined;
    },
    held({ uid, claimedExpiry }) {
      const entry = entries.get(uid);
      if (!entry) return claimedExpiry === undefined ? undefined : { jti: undefined };
      return entry.written.token && { jti: entry.jti };
    },
    forget: (uid) => entries.delete(uid),
  };
}
