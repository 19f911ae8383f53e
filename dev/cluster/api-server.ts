// The command line of kube-apiserver.
import { etcdUrl } from './etcd.ts';
import type { Pki } from './pki.ts';

export function apiServerFlags(folder: string, port: number, pki: Pki): string[] {
  const { caFile, serving, serviceAccountKeyFile } = pki;
  return [
    `--etcd-servers=${etcdUrl(folder)}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${serving.certFile}`,
    `--tls-private-key-file=${serving.keyFile}`,
    `--client-ca-file=${caFile}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${serviceAccountKeyFile}`,
    `--service-account-signing-key-file=${serviceAccountKeyFile}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    // There is no network to advertise an address on; without these two it looks for a default route.
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
  ];
}
