// The keys and certificates of a control plane.
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  authorityIn,
  type Certificate,
  type CertificateAuthority,
  certificateIn,
  createAuthority,
} from '../certificates.ts';

const SERVING = 'kube-apiserver';
const ADMIN = 'admin';

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
  await authority.issue({
    name: SERVING,
    commonName: 'kube-apiserver',
    hosts: ['127.0.0.1', 'localhost', 'kubernetes.default.svc'],
  });
  await authority.issue({ name: ADMIN, commonName: 'admin', organizations: ['system:masters'] });
  const pki = pkiIn(folder);
  writeServiceAccountKey(pki.serviceAccountKeyFile);
  return pki;
}

/** What `createPki` has made in that folder, or what was copied there. */
export function pkiIn(folder: string): Pki {
  const authority = authorityIn(folder);
  return {
    authority,
    caFile: authority.certFile,
    serving: certificateIn(folder, SERVING),
    admin: certificateIn(folder, ADMIN),
    serviceAccountKeyFile: join(folder, 'service-account.key'),
  };
}

function writeServiceAccountKey(file: string): void {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // kube-apiserver takes the public half from the same file, which it can only in this form.
  writeFileSync(file, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
}
