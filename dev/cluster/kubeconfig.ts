// Writes a kubeconfig that stands alone: the certificates are inside it.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Certificate } from '../certificates.ts';

/** JSON is YAML, so kubectl and every client library read it. Only its owner may: it holds a private key. */
export function writeKubeconfig(file: string, url: string, caFile: string, client: Certificate): void {
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'latchkey',
    contexts: [{ name: 'latchkey', context: { cluster: 'latchkey', user: 'client' } }],
    clusters: [
      { name: 'latchkey', cluster: { server: url, 'certificate-authority-data': base64Of(caFile) } },
    ],
    users: [
      {
        name: 'client',
        user: {
          'client-certificate-data': base64Of(client.certFile),
          'client-key-data': base64Of(client.keyFile),
        },
      },
    ],
  };
  writeFileSync(file, `${JSON.stringify(kubeconfig, undefined, 2)}\n`, { mode: 0o600 });
}

function base64Of(file: string): string {
  return readFileSync(file).toString('base64');
}
