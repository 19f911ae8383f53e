// Whether the TokenPolicy counts, and when our finalizer lets it go: without it nobody has a token.
import { POLICY_FINALIZER } from '../api/names.ts';
import type { TokenPolicy } from '../api/token-policy.ts';
import type { DefinitionView } from './orphans.ts';

/** One that is being deleted counts until our finalizer is taken off, which is done at once where somebody meant it. */
export function policyStands({ metadata }: Pick<TokenPolicy, 'metadata'>): boolean {
  return metadata.deletionTimestamp === undefined || metadata.finalizers?.includes(POLICY_FINALIZER) === true;
}

/**
 * Whether the policy is being deleted because its CustomResourceDefinition is, which nobody can have meant as a word
 * about the policy. Kubernetes deletes the objects after the definition, so a policy that was deleted in an earlier
 * second was deleted by somebody; times are RFC 3339, UTC, in seconds, so they sort as text.
 */
export function policyWentWithDefinition(
  { metadata: { deletionTimestamp } }: Pick<TokenPolicy, 'metadata'>,
  definition: DefinitionView | undefined,
): boolean {
  if (deletionTimestamp === undefined) return false;
  if (definition === undefined) return true;
  return definition.deletedAt !== undefined && definition.deletedAt <= deletionTimestamp;
}

/** @returns the finalizers that the policy should have; undefined where they are as they should be */
export function policyFinalizers(
  { metadata: { deletionTimestamp, finalizers = [] } }: Pick<TokenPolicy, 'metadata'>,
  mayGo: boolean,
): readonly string[] | undefined {
  const isOn = finalizers.includes(POLICY_FINALIZER);
  // Kubernetes adds none to what is being deleted.
  if (deletionTimestamp === undefined) return isOn ? undefined : [...finalizers, POLICY_FINALIZER];
  return isOn && mayGo ? finalizers.filter((name) => name !== POLICY_FINALIZER) : undefined;
}
