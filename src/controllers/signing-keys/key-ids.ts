// The names of the keys that verifiers accept now, made once for every change of the keyring.
import { publishedKeys, type Keyring } from '../../issuer/keyring.ts';

/** @returns a function that gives undefined while there is no keyring. It is asked for every decision. */
export function keyIds(keyring: () => Keyring | undefined): () => ReadonlySet<string> | undefined {
  let latest: { readonly of: Keyring; readonly ids: ReadonlySet<string> } | undefined;
  return () => {
    const known = keyring();
    if (!known) return undefined;
    if (latest?.of !== known)
      latest = { of: known, ids: new Set(publishedKeys(known).map(({ kid }) => kid)) };
    return latest.ids;
  };
}
