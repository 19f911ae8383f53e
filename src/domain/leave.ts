// What is taken back: from a namespace that is not the User's, and from a User that is being deleted.
import { FINALIZER } from '../api/names.ts';
import { anchored } from './anchor.ts';
import type { Observed } from './observed.ts';
import { ownsAnchor, ownsBinding, ownsSecret, type NamespaceClaim } from './ownership.ts';
import type { Plan, Step } from './step.ts';

/** Session, then Secret, then namespace, then the finalizer: each step waits until the one before has been seen. */
export function offboard(observed: Observed, claim: NamespaceClaim): Plan {
  const { user, secret, anchor, binding, namespace } = observed;
  const only = (...steps: Step[]): Plan => ({ steps, tokenWritten: false });
  const leftovers = withdraw(observed, claim);
  if (leftovers.steps.length > 0) return leftovers;
  // Somebody has taken our finalizer away, and another one keeps the User: its namespace goes when it is gone.
  if (!user.metadata.finalizers?.includes(FINALIZER)) return only();
  if (
    (secret && ownsSecret(observed, claim)) ||
    (anchor && ownsAnchor(observed, claim)) ||
    (binding && ownsBinding(observed, claim) && claim !== 'Made')
  )
    return only();
  if (claim === 'Made') return namespace?.deleting ? only() : only({ do: 'DeleteNamespace' });
  return only({ do: 'RemoveFinalizer' });
}

/** Takes back what is ours from a namespace that is not, or not for long. */
export function withdraw(observed: Observed, claim: NamespaceClaim): Plan {
  const { secret, binding } = observed;
  const steps: Step[] = [];
  const { step } = anchored(observed, claim, undefined);
  if (step) steps.push(step);
  if (secret && ownsSecret(observed, claim) && (!secret.deleting || secret.finalizers))
    steps.push({ do: 'DeleteSecret' });
  if (binding && claim !== 'Made' && ownsBinding(observed, claim) && !binding.deleting)
    steps.push({ do: 'DeleteBinding' });
  return { steps, tokenWritten: false };
}
