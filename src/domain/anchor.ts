// What is to be done about the Secret that tokens of Kubernetes hang on: one for each session, gone with it.
import type { TokenPolicy } from '../api/token-policy.ts';
import type { Session } from '../api/user.ts';
import type { IdentityClaims } from './claims.ts';
import { digest } from './digest.ts';
import type { AnchorView, Observed } from './observed.ts';
import { ownsAnchor, type NamespaceClaim } from './ownership.ts';

export type AnchorStep =
  | { readonly do: 'CreateAnchor'; readonly session: string; readonly epoch: string }
  | { readonly do: 'DeleteAnchor' };

export interface Anchored {
  /** The anchor that a token may hang on now. */
  readonly ready: AnchorView | undefined;
  readonly step: AnchorStep | undefined;
}

/** @param session whose tokens Kubernetes gives; undefined where it is to give none */
export function anchored(observed: Observed, claim: NamespaceClaim, session: Session | undefined): Anchored {
  const { anchor } = observed;
  const then = (step?: AnchorStep): Anchored => ({ ready: undefined, step });
  if (!anchor) return then(session && { do: 'CreateAnchor', session: session.id, epoch: session.epoch });
  if (!ownsAnchor(observed, claim)) return then();
  // A finalizer would keep its tokens alive for a minute, and the anchor for as long as somebody likes.
  if (anchor.deleting) return then(anchor.finalizers ? { do: 'DeleteAnchor' } : undefined);
  if (!session || anchor.finalizers || anchor.session !== session.id) return then({ do: 'DeleteAnchor' });
  return { ready: anchor, step: undefined };
}

/** The session that Kubernetes gives tokens for, by the policy. */
export function sessionOfKubernetes(
  policy: TokenPolicy | undefined,
  session: Session | undefined,
): Session | undefined {
  return policy?.spec.tokenSource === 'Kubernetes' ? session : undefined;
}

/** As claimsDigest: a token of Kubernetes says whom it is for and what it hangs on, and nothing of groups or role. */
export function anchoredDigest({ aud, sid }: IdentityClaims, anchor: AnchorView): string {
  return digest(JSON.stringify({ aud, sid, anchor: anchor.uid }));
}
