// The command line of kube-controller-manager.
import type { Pki } from './pki.ts';

// Those without which a namespace never goes, a service account has no token, a ClusterRole does not aggregate, or
// nobody says that an admission policy speaks of a field that is not there.
const CONTROLLERS = [
  'clusterrole-aggregation-controller',
  'garbage-collector-controller',
  'namespace-controller',
  'root-ca-certificate-publisher-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'validatingadmissionpolicy-status-controller',
];

export function controllerManagerFlags(kubeconfig: string, pki: Pki): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--controllers=${CONTROLLERS.join(',')}`,
    `--root-ca-file=${pki.caFile}`,
    `--service-account-private-key-file=${pki.serviceAccountKeyFile}`,
    '--leader-elect=false',
    // It serves nothing that anyone here asks for.
    '--secure-port=0',
  ];
}
