// Remembers which version of each Secret this process wrote, and what it wrote, so that anybody else's is noticed.
import type { SecretView, WrittenSecret } from '../../domain/observed.ts';
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
  /** A token that may have been written to the Secret: the answer was lost. */
  lost(secret: CachedSecret, expiresAt: Date): void;
  /**
   * What the annotations say of the token in a version that nobody here knows of, as far as it is to be believed: after a
   * restart, and where it may be what was lost. What somebody has edited since this process wrote it is not.
   */
  claimed(secret: CachedSecret): SecretView['claimed'];
  forget(uid: string): void;
}

interface Entry {
  readonly resourceVersion: string;
  readonly written: WrittenSecret;
  readonly jti: string | undefined;
  /** The expiries of tokens that may have been written since. */
  readonly lost: readonly number[];
}

/** One after the other: each is tried again at once, and the Secret then looked at. */
const MOST_LOST = 4;

/**
 * Field managers, annotations and labels can be forged; a resourceVersion that came back from our own write cannot.
 * After a restart the ledger is empty, so every Secret is written once: it may have been tampered with meanwhile.
 */
export function ledger(): Ledger {
  const entries = new Map<string, Entry>();
  return {
    record: ({ uid, resourceVersion }, written, jti) =>
      entries.set(uid, { resourceVersion, written, jti, lost: [] }),
    written({ uid, resourceVersion }) {
      const entry = entries.get(uid);
      return entry?.resourceVersion === resourceVersion ? entry.written : undefined;
    },
    held({ uid, claimedExpiry }) {
      const entry = entries.get(uid);
      if (!entry) return claimedExpiry === undefined ? undefined : { jti: undefined };
      return entry.written.token && { jti: entry.jti };
    },
    lost({ uid }, expiresAt) {
      const entry = entries.get(uid);
      if (entry) entries.set(uid, { ...entry, lost: [...entry.lost, expiresAt.getTime()].slice(-MOST_LOST) });
    },
    claimed({ uid, claimedExpiry, claimedSession, claimedDigest }) {
      if (claimedExpiry === undefined || claimedSession === undefined || claimedDigest === undefined)
        return undefined;
      if (entries.get(uid)?.lost.includes(claimedExpiry) === false) return undefined;
      return { expiresAt: new Date(claimedExpiry), session: claimedSession, claims: claimedDigest };
    },
    forget: (uid) => entries.delete(uid),
  };
}
