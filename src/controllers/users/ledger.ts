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
  /**
   * Does the write of one Secret. Whoever has written decides on what is there when it is done, so that what a watch tells
   * of that Secret meanwhile, mostly of this very write, need not be looked at by itself.
   */
  whileWriting<T>(uid: string, write: () => Promise<T>): Promise<T>;
  isWriting(uid: string): boolean;
  forget(uid: string): void;
}

/** There is one for each User: flat, and with times as numbers, it takes a third less memory. */
interface Entry {
  readonly resourceVersion: string;
  readonly jti: string | undefined;
  /** There only without a token. */
  readonly reason: string | undefined;
  /** Milliseconds since 1970; this and what follows is there only with a token. */
  readonly expiresAt: number | undefined;
  readonly session: string;
  readonly claims: string;
  readonly kid: string | undefined;
  /** The expiries of tokens that may have been written since. */
  readonly lost: readonly number[];
}

/** One after the other: each is tried again at once, and the Secret then looked at. */
const MOST_LOST = 4;
const NONE: readonly number[] = [];

/**
 * Field managers, annotations and labels can be forged; a resourceVersion that came back from our own write cannot.
 * After a restart the ledger is empty, so every Secret is written once: it may have been tampered with meanwhile.
 */
export function ledger(): Ledger {
  const entries = new Map<string, Entry>();
  const writing = new Set<string>();
  return {
    record({ uid, resourceVersion }, { token, reason }, jti) {
      entries.set(uid, {
        resourceVersion,
        jti,
        reason,
        expiresAt: token?.expiresAt.getTime(),
        session: token?.session ?? '',
        claims: token?.claims ?? '',
        kid: token?.kid,
        lost: NONE,
      });
    },
    written({ uid, resourceVersion }) {
      const entry = entries.get(uid);
      if (entry?.resourceVersion !== resourceVersion) return undefined;
      const { reason, expiresAt, session, claims, kid } = entry;
      if (expiresAt === undefined) return { reason };
      return { token: { expiresAt: new Date(expiresAt), session, claims, kid } };
    },
    held({ uid, claimedExpiry }) {
      const entry = entries.get(uid);
      if (!entry) return claimedExpiry === undefined ? undefined : { jti: undefined };
      return entry.expiresAt === undefined ? undefined : { jti: entry.jti };
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
    async whileWriting(uid, write) {
      writing.add(uid);
      try {
        return await write();
      } finally {
        writing.delete(uid);
      }
    },
    isWriting: (uid) => writing.has(uid),
    forget: (uid) => entries.delete(uid),
  };
}
