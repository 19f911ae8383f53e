// What makes a kube-apiserver ask Latchkey about tokens: the kubeconfig of docs/examples, filled in, and its flags.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';

const EXAMPLE = fileURLToPath(new URL('../../docs/examples/webhook-kubeconfig.yaml', import.meta.url));

export interface WebhookOptions {
  /** Where the kubeconfig goes. */
  readonly file: string;
  /** For example https://localhost:20443/token-review */
  readonly url: string;
  /** Signs the certificate of that server. */
  readonly caFile: string;
  /** Of `latchkey callers add`. */
  readonly callerToken: string;
  /** How long the API server keeps an answer, for example 1s. */
  readonly cacheTtl: string;
}

/** @returns flags of kube-apiserver; v1beta1 is its default, which Latchkey does not speak. */
export function webhookFlags({ file, url, caFile, callerToken, cacheTtl }: WebhookOptions): string[] {
  const kubeconfig = parseDocument(readFileSync(EXAMPLE, 'utf8'));
  kubeconfig.setIn(['clusters', 0, 'cluster', 'server'], url);
  kubeconfig.setIn(['clusters', 0, 'cluster', 'certificate-authority'], caFile);
  kubeconfig.setIn(['users', 0, 'user', 'token'], callerToken);
  writeFileSync(file, kubeconfig.toString(), { mode: 0o600 });
  return [
    `--authentication-token-webhook-config-file=${file}`,
    '--authentication-token-webhook-version=v1',
    `--authentication-token-webhook-cache-ttl=${cacheTtl}`,
  ];
}
