// Starts a real 389 Directory Server on loopback, in a temporary folder, with LDAPS from a test CA.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority } from '../certificates.ts';
import type { Certificate } from '../certificates.ts';
import { DevError } from '../errors.ts';
import { installedProgram } from '../installed-program.ts';
import { freePort, isListening } from '../ports.ts';
import { startServer } from '../process.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { waitUntil } from '../wait-until.ts';
import { type DirectoryContent, SERVICE_DN, SUFFIX, commonEntries, suffixEntry } from './entries.ts';
import { toLdif } from './ldif.ts';
import { runTool } from './run-tool.ts';

const PACKAGE = '389-ds-base';
const START_TIMEOUT_MS = 60_000;
const MANAGER_DN = 'cn=Directory Manager';
const TEMPLATES = '/usr/share/dirsrv/data';
const DEFAULTS = '/etc/dirsrv';
const BACKEND_DN = 'cn=userRoot,cn=ldbm database,cn=plugins,cn=config';

export interface Directory389Options extends Omit<DirectoryContent, 'passwordPolicy'> {
  /** Attributes of cn=config, for instance `{ passwordLockout: 'on' }`. */
  readonly configuration?: Readonly<Record<string, string>>;
}

export interface Directory389 {
  readonly ldapUrl: string;
  readonly ldapsUrl: string;
  /** Signs the server's certificate, which is for 127.0.0.1 and localhost. */
  readonly caFile: string;
  /** The account that may read everything but passwords. */
  readonly bindDn: string;
  readonly bindPassword: string;
  /** Runs LDIF changes with ldapmodify as the Directory Manager. */
  modify(ldif: string): Promise<void>;
  /** Runs the server's own dsidm, for instance `account lock uid=ada,…`. */
  dsidm(...args: readonly string[]): Promise<string>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

/**
 * Returns when it answers and has its entries. It is set up by hand, from the templates of its package: its own
 * `dscreate` takes four times as long, writes into system folders and leaves a daemon that outlives this process.
 * @throws DevError `PackageMissing`, `ProcessDied`, or `DirectoryFailed` where it refuses the entries
 */
export async function startDirectory389(options: Directory389Options): Promise<Directory389> {
  const program = installedProgram('ns-slapd', PACKAGE);
  const dsidm = installedProgram('dsidm', PACKAGE);
  const ldapmodify = installedProgram('ldapmodify', 'ldap-utils');
  const { path: folder, remove } = temporaryFolder('latchkey-389ds');
  const authority = await createAuthority(join(folder, 'pki'), 'latchkey directory CA');
  const serving = await authority.issue({
    name: 'ns-slapd',
    commonName: 'ns-slapd',
    hosts: ['127.0.0.1', 'localhost'],
  });
  const port = await freePort();
  const tlsPort = await freePort();
  const password = randomUUID();
  const passwordFile = join(folder, 'manager-password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const configuration = join(folder, 'config');
  writeConfiguration({ folder, configuration, port, tlsPort, password });
  await writeCertificates(configuration, authority.certFile, serving);

  const ldapUrl = `ldap://127.0.0.1:${port}`;
  const ldapsUrl = `ldaps://127.0.0.1:${tlsPort}`;
  const env = { LDAPTLS_CACERT: authority.certFile };
  const server = startServer({
    command: program,
    args: ['-D', configuration, '-i', join(folder, 'run/ns-slapd.pid'), '-d', '0'],
    logFile: join(folder, 'ns-slapd.log'),
  });
  const stop = async (): Promise<void> => {
    await server.kill();
    remove();
  };
  const modify = async (ldif: string, ...flags: string[]): Promise<void> => {
    await runTool(ldapmodify, [...flags, '-x', '-H', ldapsUrl, '-D', MANAGER_DN, '-y', passwordFile], {
      input: ldif,
      env,
    });
  };

  try {
    await waitUntil('389 Directory Server to listen', START_TIMEOUT_MS, () => {
      server.assertAlive();
      return isListening(tlsPort);
    });
    for (const [name, value] of Object.entries(options.configuration ?? {}))
      await modify(`dn: cn=config\nchangetype: modify\nreplace: ${name}\n${name}: ${value}\n`);
    const bindPassword = randomUUID();
    const entries = [
      suffixEntry({ aci: READ_ALL }),
      ...commonEntries(options, { userPassword: bindPassword }),
    ];
    await modify(`${backend(join(folder, 'db/userRoot'))}\n${toLdif(entries)}`, '-a');
    return {
      ldapUrl,
      ldapsUrl,
      caFile: authority.certFile,
      bindDn: SERVICE_DN,
      bindPassword,
      modify: (ldif) => modify(ldif),
      dsidm: (...args) =>
        runTool(dsidm, ['-b', SUFFIX, '-D', MANAGER_DN, '-y', passwordFile, ldapsUrl, ...args], { env }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const READ_ALL = `(targetattr != "userPassword")(version 3.0; acl "search"; allow (read, search, compare) userdn = "ldap:///${SERVICE_DN}";)`;

interface ConfigurationParts {
  readonly folder: string;
  readonly configuration: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly password: string;
}

function writeConfiguration({ folder, configuration, port, tlsPort, password }: ConfigurationParts): void {
  const folders = ['lock', 'tmp', 'ldif', 'bak', 'run', 'inst', 'log', 'db', 'db_home'];
  for (const name of [...folders, 'config/schema']) mkdirSync(join(folder, name), { recursive: true });
  for (const name of ['schema', 'config'])
    for (const file of readdirSync(join(DEFAULTS, name)))
      copyFileSync(join(DEFAULTS, name, file), join(configuration, name === 'schema' ? name : '', file));
  const values: Record<string, string> = {
    ...Object.fromEntries(folders.map((name) => [`${name}_dir`, join(folder, name)])),
    schema_dir: join(configuration, 'schema'),
    cert_dir: configuration,
    config_dir: configuration,
    db_lib: 'bdb',
    ds_passwd: hashed(password),
    ds_port: String(port),
    ds_suffix: SUFFIX,
    ds_user: process.env['USER'] ?? 'root',
    fqdn: 'localhost',
    ldapi: join(folder, 'run/ldapi'),
    ldapi_autobind: 'off',
    ldapi_enabled: 'off',
    rootdn: MANAGER_DN,
  };
  const template = readFileSync(join(TEMPLATES, 'template-dse.ldif'), 'utf8');
  const dse = template.replaceAll(/%([a-z_]+)%/g, (place, name: string) => {
    const value = values[name];
    if (value === undefined) throw new DevError('DirectoryFailed', `389 DS wants a value for ${place}`);
    return value;
  });
  const tls = `nsslapd-security: on\nnsslapd-secureport: ${tlsPort}\nnsslapd-port: `;
  writeFileSync(join(configuration, 'dse.ldif'), dse.replace('nsslapd-port: ', tls), { mode: 0o600 });
}

/** As `pwdhash -s SSHA512` makes it; the server takes no password in clear text from its file. */
function hashed(password: string): string {
  const salt = randomBytes(8);
  const digest = createHash('sha512').update(password).update(salt).digest();
  return `{SSHA512}${Buffer.concat([digest, salt]).toString('base64')}`;
}

/** It reads its certificate from a database of NSS, in the folder of its configuration. */
async function writeCertificates(configuration: string, caFile: string, serving: Certificate): Promise<void> {
  const certutil = installedProgram('certutil', 'libnss3-tools');
  const pk12util = installedProgram('pk12util', 'libnss3-tools');
  const openssl = installedProgram('openssl', 'openssl');
  const pin = randomUUID();
  const pinFile = join(configuration, 'pwdfile.txt');
  writeFileSync(pinFile, pin, { mode: 0o600 });
  writeFileSync(join(configuration, 'pin.txt'), `Internal (Software) Token:${pin}\n`, { mode: 0o600 });
  const bundle = join(configuration, 'server.p12');
  await runTool(openssl, [
    'pkcs12', '-export', '-name', 'Server-Cert', '-inkey', serving.keyFile, '-in', serving.certFile,
    '-passout', `file:${pinFile}`, '-out', bundle,
  ]); // prettier-ignore
  await runTool(certutil, ['-N', '-d', configuration, '-f', pinFile]);
  await runTool(pk12util, ['-i', bundle, '-d', configuration, '-k', pinFile, '-w', pinFile]);
  await runTool(certutil, ['-A', '-d', configuration, '-n', 'CA', '-t', 'CT,,', '-i', caFile, '-f', pinFile]);
}

/** Made over LDAP, so that the server gives it its default indexes. */
function backend(database: string): string {
  return toLdif([
    {
      dn: BACKEND_DN,
      attributes: {
        objectClass: ['top', 'extensibleObject', 'nsBackendInstance'],
        cn: 'userRoot',
        'nsslapd-suffix': SUFFIX,
        'nsslapd-directory': database,
      },
    },
    {
      dn: `cn="${SUFFIX}",cn=mapping tree,cn=config`,
      attributes: {
        objectClass: ['top', 'extensibleObject', 'nsMappingTree'],
        cn: [SUFFIX, `"${SUFFIX}"`],
        'nsslapd-state': 'backend',
        'nsslapd-backend': 'userRoot',
      },
    },
  ]);
}
