// Starts a real Samba on loopback, in a temporary folder, as the domain controller of an Active Directory, with LDAPS.
import { randomInt, randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority } from '../certificates.ts';
import type { Certificate } from '../certificates.ts';
import { installedProgram } from '../installed-program.ts';
import { isFree, isListening } from '../ports.ts';
import { startServer } from '../process.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { waitUntil } from '../wait-until.ts';
import type { DirectoryUser } from './entries.ts';
import { toLdif } from './ldif.ts';
import type { LdapEntry } from './ldif.ts';
import { runTool } from './run-tool.ts';
import { provisionedDomain } from './samba-domain.ts';

const START_TIMEOUT_MS = 60_000;
const LDAP_PORT = 389;
const LDAPS_PORT = 636;

export const SAMBA_SUFFIX = 'DC=example,DC=test';
const USERS_DN = `CN=Users,${SAMBA_SUFFIX}`;

export interface SambaOptions {
  readonly users: readonly (DirectoryUser & { readonly password: string })[];
  /** Flags of `samba-tool domain passwordsettings set`, for instance `--account-lockout-threshold=3`. */
  readonly passwordSettings?: readonly string[];
}

export interface Samba {
  readonly ldapUrl: string;
  readonly ldapsUrl: string;
  /** Its ports are 389 and 636, on an address of its own. */
  readonly address: string;
  /** Signs the server's certificate, which is for the address and dc1.example.test. */
  readonly caFile: string;
  /** An ordinary account of the domain, by its userPrincipalName. */
  readonly bindDn: string;
  readonly bindPassword: string;
  /** Runs LDIF changes with ldbmodify on the server's own database. */
  modify(ldif: string): Promise<void>;
  /** Runs its own samba-tool on the server's own database, for instance `user disable ada`. */
  sambaTool(...args: readonly string[]): Promise<string>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

/** The DN of a user of the test domain. */
export function sambaUserDn(name: string): string {
  return `CN=${name},${USERS_DN}`;
}

/**
 * Returns when it answers and has its users.
 * @throws DevError `PackageMissing`, `ProcessDied`, or `DirectoryFailed` where it refuses the users
 */
export async function startSamba({ users, passwordSettings = [] }: SambaOptions): Promise<Samba> {
  const program = installedProgram('samba', 'samba-ad-dc');
  const sambaToolProgram = installedProgram('samba-tool', 'samba-ad-dc');
  const ldbmodify = installedProgram('ldbmodify', 'ldb-tools');
  const domain = await provisionedDomain(program, sambaToolProgram);
  const { path: folder, remove } = temporaryFolder('latchkey-samba');
  const address = await freeAddress();
  const authority = await createAuthority(join(folder, 'pki'), 'latchkey directory CA');
  const serving = await authority.issue({
    name: 'samba',
    commonName: 'dc1.example.test',
    hosts: [address, 'dc1.example.test'],
  });
  const configurationFile = join(folder, 'smb.conf');
  const database = join(folder, 'private/sam.ldb');

  const sambaTool = (args: readonly string[]) =>
    runTool(sambaToolProgram, [...args, '-H', database, '-s', configurationFile]);
  const modify = async (ldif: string): Promise<void> => {
    await runTool(ldbmodify, ['-H', database], {
      input: ldif,
      env: { SMB_CONF_PATH: configurationFile },
    });
  };

  cpSync(domain, folder, { recursive: true });
  for (const name of ['ncalrpc', 'pid', 'cache']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(configurationFile, smbConf(folder, address, authority.certFile, serving));
  if (passwordSettings.length > 0)
    await sambaTool(['domain', 'passwordsettings', 'set', ...passwordSettings]);
  const bindPassword = randomUUID();
  const service = { uid: 'latchkey', cn: 'latchkey', password: bindPassword };
  await modify(additions([service, ...users].map(userEntry)));

  const server = startServer({
    command: program,
    args: ['-F', '-M', 'single', '--no-process-group', '-s', configurationFile, '--debug-stdout', '-d', '0'],
    logFile: join(folder, 'samba.log'),
  });
  const stop = async (): Promise<void> => {
    await server.kill();
    remove();
  };
  try {
    await waitUntil('Samba to listen', START_TIMEOUT_MS, () => {
      server.assertAlive();
      return isListening(LDAPS_PORT, address);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ldapUrl: `ldap://${address}`,
    ldapsUrl: `ldaps://${address}`,
    address,
    caFile: authority.certFile,
    bindDn: 'latchkey@example.test',
    bindPassword,
    modify,
    sambaTool: (...args) => sambaTool(args),
    stop,
  };
}

/** Its ports cannot be chosen, but every address of 127.0.0.0/8 is this machine's. */
async function freeAddress(): Promise<string> {
  for (;;) {
    const address = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;
    if ((await isFree(LDAP_PORT, address)) && (await isFree(LDAPS_PORT, address))) return address;
  }
}

function userEntry({ uid, cn, mail, password, attributes }: DirectoryUser): LdapEntry {
  return {
    dn: sambaUserDn(uid),
    attributes: {
      objectClass: 'user',
      sAMAccountName: uid,
      userPrincipalName: `${uid}@example.test`,
      displayName: cn,
      userAccountControl: '512',
      ...(mail !== undefined && { mail }),
      ...(password !== undefined && { clearTextPassword: utf16(password) }),
      ...attributes,
    },
  };
}

function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le');
}

function additions(entries: readonly LdapEntry[]): string {
  return toLdif(entries).replaceAll(/^dn::.*$/gm, '$&\nchangetype: add');
}

function smbConf(folder: string, address: string, caFile: string, serving: Certificate): string {
  return `
[global]
  netbios name = DC1
  realm = EXAMPLE.TEST
  workgroup = EXAMPLE
  server role = active directory domain controller
  server services = ldap
  dcerpc endpoint servers = none
  interfaces = ${address}/8
  bind interfaces only = yes
  private dir = ${folder}/private
  state directory = ${folder}/state
  cache directory = ${folder}/cache
  lock directory = ${folder}
  pid directory = ${folder}/pid
  ncalrpc dir = ${folder}/ncalrpc
  binddns dir = ${folder}/bind-dns
  log file = ${folder}/log.%m
  tls enabled = yes
  tls keyfile = ${serving.keyFile}
  tls certfile = ${serving.certFile}
  tls cafile = ${caFile}
  ldap server require strong auth = yes
  disable netbios = yes
`;
}
