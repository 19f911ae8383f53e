// The keys and certificates of a control plane.
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Certificate, type CertificateAuthority, createAuthority } from '../certificates.ts';

export interface Pki {
  readonly authority: CertificateAuthority;
  readonly caFile: string;
  readonly serving: Certificate;
  /** In the group `system:masters`. */
  readonly admin: Certificate;
  /** Signs the tokens of service accounts. */
  readonly serviceAccountKeyFile: string;
}

export async function createPki(folder: string): Promise<Pki> {
  const authority = await createAuthority(folder, 'latchkey cluster CA');
  return {
    authority,
    caFile: authority.certFile,
    serving: await authority.issue({
      name: 'kube-apiserver',
      commonName: 'kube-apiserver',
      hosts: ['127.0.0.1', 'localhost', 'kubernetes.default.svc'],
    }),
    admin: await authority.issue({ name: 'admin', commonName: 'admin', organizations: ['system:masters'] }),
    serviceAccountKeyFile: writeServiceAccountKey(join(folder, 'service-account.key')),
  };
}

function writeServiceAccountKey(file: string): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // kube-apiserver takes the public half from the same file, which it can only in this form.
  writeFileSync(file, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  return file;
}
