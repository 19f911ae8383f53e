// Starts the real Chromium that tests and pictures look through.
import { X509Certificate, createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium-headless-shell';

/**
 * Starts a headless Chromium; close it when done. It trusts the servers whose certificate files are given, by their
 * public keys, and no others: its errors about certificates stay what they are.
 */
export async function startBrowser(trustedCertificateFiles: readonly string[]): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(
      `There is no browser at ${executablePath}: install the Debian package chromium-headless-shell, ` +
        'or set CHROMIUM to the path of a Chromium.',
    );
  }
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-quic',
      '--no-first-run',
      `--ignore-certificate-errors-spki-list=${trustedCertificateFiles.map(publicKeyHash).join(',')}`,
    ],
  });
}

function publicKeyHash(certificateFile: string): string {
  const { publicKey } = new X509Certificate(readFileSync(certificateFile));
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}
