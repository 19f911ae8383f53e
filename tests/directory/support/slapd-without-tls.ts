// A real OpenLDAP server that has no certificate, and so refuses StartTLS.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installedProgram } from '../../../dev/installed-program.ts';
import { freePort, isListening } from '../../../dev/ports.ts';
import { startServer } from '../../../dev/process.ts';
import { temporaryFolder } from '../../../dev/temporary-folder.ts';
import { waitUntil } from '../../../dev/wait-until.ts';
import { afterTest } from './after-test.ts';

/**
 * It holds no entries, as nobody comes that far, and goes when the test ends.
 * @returns its port
 */
export async function startSlapdWithoutTls(): Promise<number> {
  const { path: folder, remove } = temporaryFolder('latchkey-slapd-without-tls');
  const configurationFile = join(folder, 'slapd.conf');
  writeFileSync(configurationFile, `pidfile ${folder}/slapd.pid\nargsfile ${folder}/slapd.args\n`);
  const port = await freePort();
  const server = startServer({
    command: installedProgram('slapd', 'slapd'),
    args: ['-f', configurationFile, '-h', `ldap://127.0.0.1:${port}`, '-d', 'none'],
    logFile: join(folder, 'slapd.log'),
  });
  afterTest(async () => {
    await server.kill();
    remove();
  });
  await waitUntil('slapd to listen', 15_000, () => {
    server.assertAlive();
    return isListening(port);
  });
  return port;
}
