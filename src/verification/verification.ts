// Says whether the bearer of a token may come in now: by this replica's caches where they are proven fresh, else live.
import type { Logger } from 'pino';
import type { IdentityClaims } from '../domain/claims.ts';
import { judge, type Judgement } from '../domain/presented.ts';
import type { VerifiedClaims, VerifyToken } from '../issuer/verify.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { Freshness } from '../kubernetes/freshness.ts';
import { observe, type Surroundings } from '../observation/observe.ts';
import { allowance } from './allowance.ts';
import { causesOf } from './causes.ts';
import { endedSessions } from './ended-sessions.ts';
import { liveReader } from './live.ts';
import { singleFlight } from './single-flight.ts';

/** What is asked live, whoever asks: enough for a replica that has just been idle, and nothing to an API server. */
const LIVE = { burst: 100, perSecond: 50 };
/** As long as a proof takes; who has no place among those that are asked live waits for it. */
const PROOF_MS = 3_000;

export type Verdict =
  | { readonly outcome: 'Accepted'; readonly identity: IdentityClaims; readonly claims: VerifiedClaims }
  /** The token is good for nothing. `reason` is for logs and metrics, never for the wire. */
  | { readonly outcome: 'Refused'; readonly reason: string; readonly claims?: VerifiedClaims }
  /** Nothing current is known, so it is a no, but not one to keep. */
  | { readonly outcome: 'Undecided'; readonly reason: Unknown };

type Unknown = 'ClockSkew' | 'Starting' | 'CacheNotProven' | 'ApiUnreachable';

export interface Verification {
  /** Never rejects. */
  verify(token: string): Promise<Verdict>;
}

export interface VerificationOptions {
  readonly client: KubernetesClient;
  readonly surroundings: Surroundings;
  readonly verifyToken: VerifyToken;
  readonly keys: { readonly freshness: Freshness; refresh(): Promise<void> };
  readonly count: {
    tokenChecked(outcome: string, reason: string): void;
    refusedAfter(ms: number): void;
  };
  readonly log: Logger;
}

/**
 * A yes rests on Users, policy and signing keys that are proven younger than five seconds, or were read for it. A no
 * may rest on anything, but a session that the cache does not know is asked for before its token is refused: it may
 * have begun on another replica a moment ago.
 */
export function verification(options: VerificationOptions): Verification {
  const { client, surroundings, verifyToken, keys, count, log } = options;
  const { caches } = surroundings;
  const readLive = liveReader(client, caches);
  const mayReadLive = allowance(LIVE);
  // By session: whoever joins a reading holds a token that was signed before it began, so it has seen the session.
  const readOnce = singleFlight(async (_sid: string, claims: VerifiedClaims) => {
    if (!mayReadLive.take()) return undefined;
    const [live] = await Promise.all([readLive(claims), keys.refresh()]);
    return live;
  });
  const causes = causesOf(caches);
  const ended = endedSessions();
  caches.users.onChange((before, after) => {
    const session = before?.user.status?.session?.id;
    if (session !== undefined && session !== after?.user.status?.session?.id) ended.add(session);
  });

  const proofs = [caches.userFreshness, caches.policyFreshness, keys.freshness];
  // Each is asked, so that each begins a proof.
  const isProven = () => proofs.map((proof) => proof.isProven()).every(Boolean);
  const isSynced = () =>
    [caches.users, caches.policies, caches.namespaces, caches.secrets, caches.bindings].every(
      ({ resourceVersion }) => resourceVersion !== undefined,
    );

  const cachedUser = ({ sub }: VerifiedClaims) => caches.byUID.get(sub)[0]?.user;
  const judgeCached = (claims: VerifiedClaims): Judgement => {
    const user = cachedUser(claims);
    return judge(claims, user && observe(user, surroundings), new Date());
  };

  /** @returns undefined where there is no place among those that are asked live. */
  async function judgeLive(claims: VerifiedClaims): Promise<Judgement | undefined> {
    const live = await readOnce(claims.sid, claims);
    if (!live) return undefined;
    const { user, policy } = live;
    // One that was not found may have a name that nobody could guess; of one that was found this is the truth.
    if (user && user.status?.session?.id !== claims.sid) ended.add(claims.sid);
    return judge(claims, user && { ...observe(user, surroundings), policy }, new Date());
  }

  /** For those that there is no place for among the live ones: a proof is one for all. */
  async function judgeProven(claims: VerifiedClaims): Promise<Judgement | undefined> {
    const waits = await Promise.all(proofs.map((proof) => proof.untilProven(PROOF_MS)));
    return waits.every(Boolean) && isProven() ? judgeCached(claims) : undefined;
  }

  async function decide(token: string): Promise<Verdict> {
    if (surroundings.cannotMint()?.reason === 'ClockSkew') return undecided('ClockSkew');
    const verified = await verifyToken(token, new Date());
    if ('fault' in verified) return { outcome: 'Refused', reason: verified.fault };
    const { claims } = verified;
    if (!isSynced()) return undecided('Starting');

    const proven = isProven();
    const cached = judgeCached(claims);
    if (cached.accepted && proven) return verdictOf(claims, cached);
    if (!cached.accepted) {
      const isKnown = cachedUser(claims)?.status?.session?.id === claims.sid;
      if (isKnown || ended.has(claims.sid)) return verdictOf(claims, cached);
    }
    const judgement = (await judgeLive(claims)) ?? (await judgeProven(claims));
    if (!judgement) return undecided('CacheNotProven');
    // The keys may have changed while that was read.
    const again = judgement.accepted ? await verifyToken(token, new Date()) : undefined;
    if (again && 'fault' in again) return { outcome: 'Refused', reason: again.fault };
    return verdictOf(claims, judgement);
  }

  function measure(verdict: Verdict): void {
    count.tokenChecked(verdict.outcome, verdict.outcome === 'Accepted' ? '' : verdict.reason);
    if (verdict.outcome !== 'Refused' || !verdict.claims) return;
    const ms = causes.firstNo(verdict.claims.sid, verdict.claims.iat);
    if (ms !== undefined) count.refusedAfter(ms);
  }

  return {
    async verify(token) {
      const verdict = await decide(token).catch((error: unknown) => {
        log.debug({ err: error }, 'a token could not be checked');
        return undecided('ApiUnreachable');
      });
      measure(verdict);
      if (verdict.outcome === 'Refused' && verdict.claims) {
        const { sid, jti } = verdict.claims;
        log.debug({ session: sid, jti, reason: verdict.reason }, 'token refused');
      }
      return verdict;
    },
  };
}

const undecided = (reason: Unknown): Verdict => ({ outcome: 'Undecided', reason });

function verdictOf(claims: VerifiedClaims, judgement: Judgement): Verdict {
  return judgement.accepted
    ? { outcome: 'Accepted', identity: judgement.identity, claims }
    : { outcome: 'Refused', reason: judgement.reason, claims };
}
