// A vendor of Latchkey, with a key of its own, who issues licences for tests and lets a chart require them.
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { issueLicense } from '../../src/license/issue.ts';
import { privateKey } from '../../src/license/keys.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';

export interface Terms {
  /** 100 unless given. */
  readonly users?: number;
  /** From now, in ms; rounded up to a whole second. */
  readonly endsIn: number;
  /** From now, in ms; a minute ago unless given. */
  readonly beginsIn?: number;
}

export interface IssuedLicense {
  readonly text: string;
  readonly expiresAt: Date;
}

export interface Vendor {
  /** Values of the chart that require a licence of this vendor. */
  readonly values: { readonly license: { readonly enabled: true; readonly publicKey: string } };
  /** The flag of `latchkey serve` that does. */
  readonly flag: string;
  readonly publicKeyFile: string;
  readonly privateKeyFile: string;
  issue(terms: Terms): Promise<IssuedLicense>;
  /** Removes the files of its keys. */
  remove(): void;
}

export function vendor(): Vendor {
  const folder = temporaryFolder('latchkey-vendor');
  const pair = generateKeyPairSync('ed25519');
  const privatePem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const publicKeyFile = join(folder.path, 'vendor.pem');
  const privateKeyFile = join(folder.path, 'vendor.key');
  writeFileSync(publicKeyFile, publicPem);
  writeFileSync(privateKeyFile, privatePem, { mode: 0o600 });
  return {
    values: { license: { enabled: true, publicKey: publicPem } },
    flag: `--license-public-key-file=${publicKeyFile}`,
    publicKeyFile,
    privateKeyFile,
    async issue({ users = 100, endsIn, beginsIn = -60_000 }) {
      const now = Date.now();
      const expiresAt = new Date(Math.ceil((now + endsIn) / 1_000) * 1_000);
      const notBefore = new Date(now + beginsIn);
      const terms = { customer: 'Example Ltd', users, notBefore, expiresAt };
      return { text: await issueLicense(terms, privateKey(privatePem), new Date(now)), expiresAt };
    },
    remove: () => folder.remove(),
  };
}
