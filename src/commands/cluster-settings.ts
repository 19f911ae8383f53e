// The settings that every command needs that talks to the cluster.
import { readFileSync } from 'node:fs';
import { text } from '../config/fields.ts';
import { objectName } from './object-names.ts';

const POD_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/** In a Pod, the namespace that it runs in. */
function podNamespace(): string {
  try {
    return readFileSync(POD_NAMESPACE, 'utf8').trim();
  } catch {
    return 'latchkey';
  }
}

export const clusterSettings = {
  kubeconfig: text(
    'The kubeconfig to use. Default: as kubectl, or the ServiceAccount of the Pod.',
  ).optional(),
  namespace: objectName("Latchkey's own namespace. Default: that of the Pod, else latchkey.").default(
    podNamespace,
  ),
};
