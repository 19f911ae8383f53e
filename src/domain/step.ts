// The writes that a decision asks for, and the plan that they are part of.
import type { AnchorStep } from './anchor.ts';
import type { IdentityClaims } from './claims.ts';

/** One write to the API server. Steps run in their order; what they change is observed before the next decision. */
export type Step =
  | { readonly do: 'AddFinalizer' }
  | { readonly do: 'CreateNamespace' }
  | { readonly do: 'CreateSecret'; readonly reason: string; readonly message: string }
  | {
      readonly do: 'WriteToken';
      readonly session: string;
      readonly claims: IdentityClaims;
      readonly digest: string;
      /** The UID of the Secret that it hangs on; there where Kubernetes gives the token. */
      readonly anchor?: string;
    }
  | AnchorStep
  | { readonly do: 'ClearToken'; readonly reason: string; readonly message: string }
  | { readonly do: 'DeleteSecret' }
  | { readonly do: 'WriteBinding'; readonly subject: string }
  | { readonly do: 'DeleteBinding' }
  | { readonly do: 'DeleteNamespace' }
  | { readonly do: 'RemoveFinalizer' };

export interface Plan {
  readonly steps: readonly Step[];
  /** Whether the Secret holds, as far as this process knows, the token that it should hold, once the steps are done. */
  readonly tokenWritten: boolean;
  /** The Secret holds a token that lives: what replaces it, were it for other claims, may wait a moment. */
  readonly mayWait?: boolean;
  readonly lookAgainAt?: Date | undefined;
}
