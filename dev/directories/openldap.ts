// Starts a real OpenLDAP server on loopback, with LDAPS and StartTLS from a test CA.
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority } from '../certificates.ts';
import { installedProgram } from '../installed-program.ts';
import { freePort, isListening } from '../ports.ts';
import { startServer } from '../process.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { waitUntil } from '../wait-until.ts';
import { type DirectoryContent, SERVICE_DN, entriesOf } from './entries.ts';
import { toLdif } from './ldif.ts';
import { runTool } from './run-tool.ts';
import { ROOT_DN, slapdConfiguration } from './slapd-configuration.ts';

const START_TIMEOUT_MS = 60_000;

export interface OpenLdapOptions extends DirectoryContent {
  /** Global lines of slapd.conf(5), for instance `security simple_bind=128`. */
  readonly globalLines?: readonly string[];
  /** The limits of the account that searches, as slapd.conf(5) has them; by default it may page through everything. */
  readonly serviceLimits?: string;
  /** Whether it has the overlay that says what changes to whoever listens (RFC 4533); it has by default. */
  readonly tellsChanges?: boolean;
  /** Another server whose content this one follows (RFC 4533), and takes changes of its own as well. */
  readonly follows?: OpenLdap;
  /** Writes every operation to its log, with its time. */
  readonly logOperations?: boolean;
}

export interface OpenLdap {
  /** In clear, until StartTLS. */
  readonly ldapUrl: string;
  readonly ldapsUrl: string;
  /** Signs the server's certificate, which is for 127.0.0.1 and localhost. */
  readonly caFile: string;
  /** The account that may read everything but passwords. */
  readonly bindDn: string;
  readonly bindPassword: string;
  /** Of the account that may do everything. */
  readonly rootPassword: string;
  /** What slapd says. */
  readonly logFile: string;
  /** Runs LDIF changes with ldapmodify as the root DN, operational attributes included. */
  modify(ldif: string): Promise<void>;
  /** Ends the server as an accident would; its files stay until `stop`. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, with what it had. */
  restart(): Promise<void>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

/**
 * Returns when it answers and has its entries. They are added over LDAP, so that the overlays see them.
 * @throws DevError `PackageMissing` with the Debian package, `ProcessDied` with the end of slapd's output,
 *   `DirectoryFailed` where it refuses the entries
 */
export async function startOpenLdap(options: OpenLdapOptions): Promise<OpenLdap> {
  const slapd = installedProgram('slapd', 'slapd');
  const ldapmodify = installedProgram('ldapmodify', 'ldap-utils');
  const { path: folder, remove } = temporaryFolder('latchkey-openldap');
  for (const database of ['data', 'accesslog']) mkdirSync(join(folder, database));
  const authority = await createAuthority(join(folder, 'pki'), 'latchkey directory CA');
  const serving = await authority.issue({
    name: 'slapd',
    commonName: 'slapd',
    hosts: ['127.0.0.1', 'localhost'],
  });
  const rootPassword = randomUUID();
  const passwordFile = join(folder, 'root-password');
  writeFileSync(passwordFile, rootPassword, { mode: 0o600 });
  const configurationFile = join(folder, 'slapd.conf');
  const configuration = slapdConfiguration({
    folder,
    caFile: authority.certFile,
    serving,
    rootPassword,
    globalLines: options.globalLines ?? [],
    serviceLimits: options.serviceLimits ?? 'size.prtotal=unlimited',
    tellsChanges: options.tellsChanges ?? true,
    ...(options.follows && { follows: options.follows }),
  });
  writeFileSync(configurationFile, configuration, { mode: 0o600 });

  const logFile = join(folder, 'slapd.log');
  const port = await freePort();
  const tlsPort = await freePort();
  const ldapUrl = `ldap://127.0.0.1:${port}`;
  const ldapsUrl = `ldaps://127.0.0.1:${tlsPort}`;
  const start = () =>
    startServer({
      command: slapd,
      // -d keeps it in the foreground; it writes what ended it, and nothing else unless it is told to.
      args: [
        '-f',
        configurationFile,
        '-h',
        `${ldapUrl} ${ldapsUrl}`,
        '-d',
        options.logOperations ? 'stats' : 'none',
      ],
      logFile,
    });
  let server = start();
  const untilItListens = () =>
    waitUntil('slapd to listen', START_TIMEOUT_MS, () => {
      server.assertAlive();
      return isListening(tlsPort);
    });
  const stop = async (): Promise<void> => {
    await server.kill();
    remove();
  };
  const modify = async (ldif: string, ...flags: string[]): Promise<void> => {
    await runTool(
      ldapmodify,
      [...flags, '-x', '-e', 'relax', '-H', ldapsUrl, '-D', ROOT_DN, '-y', passwordFile],
      { input: ldif, env: { LDAPTLS_CACERT: authority.certFile } },
    );
  };

  try {
    await untilItListens();
    const bindPassword = options.follows?.bindPassword ?? randomUUID();
    if (!options.follows) await modify(toLdif(entriesOf(options, bindPassword)), '-a');
    return {
      ldapUrl,
      ldapsUrl,
      caFile: authority.certFile,
      bindDn: SERVICE_DN,
      bindPassword,
      rootPassword,
      logFile,
      modify: (ldif) => modify(ldif),
      kill: () => server.kill(),
      async restart() {
        server = start();
        await untilItListens();
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
