// What makes a kube-apiserver ask Latchkey about tokens: a kubeconfig for the webhook, and the flags that name it.
import { writeFileSync } from 'node:fs';

export interface WebhookOptions {
  /** Where the kubeconfig goes. */
  readonly file: string;
  /** For example https://localhost:20443/token-review */
  readonly url: string;
  /** Signs the certificate of that server. */
  readonly caFile: string;
  /** Of `latchkey callers add`. */
  readonly callerToken: string;
  /** How long the API server keeps a yes, for example 1s. */
  readonly cacheTtl: string;
}

/** @returns flags of kube-apiserver; v1beta1 is its default, which Latchkey does not speak. */
export function webhookFlags({ file, url, caFile, callerToken, cacheTtl }: WebhookOptions): string[] {
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'latchkey',
    contexts: [{ name: 'latchkey', context: { cluster: 'latchkey', user: 'kube-apiserver' } }],
    clusters: [{ name: 'latchkey', cluster: { server: url, 'certificate-authority': caFile } }],
    users: [{ name: 'kube-apiserver', user: { token: callerToken } }],
  };
  writeFileSync(file, JSON.stringify(kubeconfig), { mode: 0o600 });
  return [
    `--authentication-token-webhook-config-file=${file}`,
    '--authentication-token-webhook-version=v1',
    `--authentication-token-webhook-cache-ttl=${cacheTtl}`,
  ];
}
