// A real OpenLDAP server without entries, for those who do not come that far: its certificate is wrong, or it has none.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installedProgram } from '../../../dev/installed-program.ts';
import { freePort, isListening } from '../../../dev/ports.ts';
import { startServer } from '../../../dev/process.ts';
import { temporaryFolder } from '../../../dev/temporary-folder.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import { afterTest } from '../../support/after-test.ts';

/** PEM. */
export interface ServerTls {
  readonly certificate: string;
  readonly key: string;
}

/**
 * It speaks LDAPS where it has a certificate, else LDAP without StartTLS, and goes when the test ends.
 * @returns its port
 */
export async function startBareSlapd(tls?: ServerTls): Promise<number> {
  const { path: folder, remove } = temporaryFolder('latchkey-bare-slapd');
  const configurationFile = join(folder, 'slapd.conf');
  const lines = [`pidfile ${folder}/slapd.pid`, `argsfile ${folder}/slapd.args`];
  if (tls) {
    writeFileSync(join(folder, 'tls.crt'), tls.certificate);
    writeFileSync(join(folder, 'tls.key'), tls.key, { mode: 0o600 });
    lines.push(`TLSCertificateFile ${folder}/tls.crt`, `TLSCertificateKeyFile ${folder}/tls.key`);
  }
  writeFileSync(configurationFile, `${lines.join('\n')}\n`);
  const port = await freePort();
  const server = startServer({
    command: installedProgram('slapd', 'slapd'),
    args: ['-f', configurationFile, '-h', `${tls ? 'ldaps' : 'ldap'}://127.0.0.1:${port}`, '-d', 'none'],
    logFile: join(folder, 'slapd.log'),
  });
  afterTest(async () => {
    await server.kill();
    remove();
  });
  await waitUntil('slapd to listen', 60_000, () => {
    server.assertAlive();
    return isListening(port);
  });
  return port;
}
