// Remembers sessions that are known to be over, so that their tokens cost the API server nothing more.

/** About a megabyte. What is forgotten costs one question when it is presented again. */
const MOST = 10_000;

export interface EndedSessions {
  add(sid: string): void;
  has(sid: string): boolean;
}

/** A session that has ended never comes back: its id is random, and a new sign-in draws a new one. */
export function endedSessions(most = MOST): EndedSessions {
  const known = new Set<string>();
  return {
    add(sid) {
      // The oldest is forgotten first.
      known.delete(sid);
      known.add(sid);
      for (const oldest of known) {
        if (known.size <= most) break;
        known.delete(oldest);
      }
    },
    has: (sid) => known.has(sid),
  };
}
