// Everything that a decision about one User may depend on, as plain values.
import type { TokenPolicy } from '../api/token-policy.ts';
import type { User } from '../api/user.ts';
import type { LicenseReading } from './license.ts';
import type { Permission } from './holds.ts';
import type { Losing } from './losing.ts';
import type { DirectoryView } from './finding.ts';
import type { Witness } from './witness.ts';

/** What the watch of namespaces tells. */
export interface NamespaceView {
  readonly uid: string;
  /** The label latchkey.dev/namespace. */
  readonly kind: 'made' | 'handed-over' | 'foreign';
  /** The label latchkey.dev/user-uid. */
  readonly userUID: string | undefined;
  readonly deleting: boolean;
}

/** What the metadata-only watch of the Secrets named access-token tells. */
export interface SecretView {
  readonly uid: string;
  /** The label latchkey.dev/user-uid. */
  readonly userUID: string | undefined;
  readonly finalizers: boolean;
  readonly deleting: boolean;
  /** What this process wrote last; undefined where somebody else (or an earlier process) wrote since. */
  readonly written: WrittenSecret | undefined;
  /** What its annotations say of the token in it. Whoever may write the Secret can forge them. */
  readonly claimed?: Omit<HeldToken, 'kid'> | undefined;
}

export interface HeldToken {
  readonly expiresAt: Date;
  readonly session: string;
  /** The digest of its claims. */
  readonly claims: string;
  /** The key that signed it; undefined where Kubernetes did. */
  readonly kid: string | undefined;
}

export interface WrittenSecret {
  /** There only with a token. */
  readonly token?: HeldToken;
  /** There only without one. */
  readonly reason?: string | undefined;
}

/** What the watch of the Secrets named access-token-binding tells: tokens of Kubernetes hang on it. */
export interface AnchorView {
  readonly uid: string;
  /** The label latchkey.dev/user-uid. */
  readonly userUID: string | undefined;
  /** The session whose tokens hang on it. */
  readonly session: string | undefined;
  /** The epoch of the TokenPolicy under which that session began. */
  readonly epoch: string | undefined;
  readonly finalizers: boolean;
  readonly deleting: boolean;
}

export interface ReaderBindingView {
  readonly uid: string;
  readonly userUID: string | undefined;
  /** The name of the role and of its only subject; undefined where it binds anything else. */
  readonly subject: string | undefined;
  /** roleRef cannot be changed: a binding to another role is deleted and made anew. */
  readonly toReaderRole: boolean;
  readonly deleting: boolean;
}

export interface Observed {
  readonly user: User;
  readonly seen: Witness | undefined;
  readonly policy: TokenPolicy | undefined;
  /** The User that holds this one's username; this one itself where nobody else does. */
  readonly usernameHolder: User;
  /** The User that holds this one's namespace; this one itself where nobody else does. */
  readonly namespaceHolder: User;
  /** The User that holds this one's account of the directory; this one itself where nobody else does. */
  readonly accountHolder: User;
  readonly namespace: NamespaceView | undefined;
  /** Whether the User that the namespace's label names is still there. */
  readonly namespaceOwnerLives: boolean;
  readonly secret: SecretView | undefined;
  readonly anchor: AnchorView | undefined;
  readonly binding: ReaderBindingView | undefined;
  readonly license: LicenseReading;
  /** How many Users come before this one for a seat of the licence: see seats.ts. */
  readonly aheadForSeat: number;
  /** What the watch of the directory knows; undefined where this process does not watch it. */
  readonly directory: DirectoryView | undefined;
  /** The keys by which verifiers accept a token; undefined while the signing keys cannot be read. */
  readonly publishedKeys: ReadonlySet<string> | undefined;
  /** What is decided of the loss of the session, should the directory's word bring it. */
  readonly mayEndSession: Permission | undefined;
  /** What the User is about to lose to a cause that may be an accident. */
  readonly losing: Losing | undefined;
  /** Set while no token may be minted: the clocks disagree, or there is no signing key. */
  readonly cannotMint: CannotMint | undefined;
  readonly settings: DecisionSettings;
}

export interface CannotMint {
  readonly reason: 'ClockSkew' | 'NoSigningKey' | 'CacheNotProven';
  readonly message: string;
}

export interface DecisionSettings {
  /** Where users sign in; part of the messages that say what to do next. */
  readonly portal: string;
  /** Can never be a user's. */
  readonly operatorNamespace: string;
}
