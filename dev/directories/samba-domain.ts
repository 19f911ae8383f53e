// Makes the domain of the test Samba once for each of its versions; every server begins with a copy.
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DevError } from '../errors.ts';
import { isExecutable } from '../installed-program.ts';
import { tryLock } from '../lock.ts';
import { waitUntil } from '../wait-until.ts';
import { runTool } from './run-tool.ts';

// Samba is written for the Python of the system.
const PYTHON = '/usr/bin/python3';
const PROVISION_TIMEOUT_MS = 10 * 60_000;
const SCRIPT = fileURLToPath(new URL('samba-provision.py', import.meta.url));

/**
 * A folder to copy: a domain without users, in which any password goes. It takes five seconds to make on an idle
 * machine, and is kept in the user's cache folder.
 * @throws DevError `PackageMissing` or `DirectoryFailed`
 */
export async function provisionedDomain(samba: string, sambaTool: string): Promise<string> {
  if (!isExecutable(PYTHON)) throw new DevError('PackageMissing', 'Samba needs the package python3.');
  const version = await runTool(samba, ['--version']);
  const key = createHash('sha256').update(version).update(readFileSync(SCRIPT)).digest('hex').slice(0, 16);
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'latchkey');
  const folder = join(cache, `samba-domain-${key}`);
  if (existsSync(folder)) return folder;

  const unlock = await waitUntil('the other process that makes the domain', PROVISION_TIMEOUT_MS, () =>
    tryLock(`${folder}.lock`),
  );
  try {
    if (!existsSync(folder)) await provision(folder, sambaTool);
  } finally {
    unlock();
  }
  return folder;
}

async function provision(folder: string, sambaTool: string): Promise<void> {
  // A folder under its final name is a whole one.
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  await runTool(PYTHON, [SCRIPT, unfinished], {
    input: `Aa1-${randomUUID()}`,
    timeoutMs: PROVISION_TIMEOUT_MS,
  });
  const configuration = join(unfinished, 'smb.conf');
  writeFileSync(configuration, '[global]\n  realm = EXAMPLE.TEST\n  workgroup = EXAMPLE\n');
  const policy = ['--complexity=off', '--min-pwd-length=1', '--min-pwd-age=0', '--max-pwd-age=0'];
  await runTool(sambaTool, [
    'domain',
    'passwordsettings',
    'set',
    ...policy,
    '--history-length=0',
    '-H',
    join(unfinished, 'private/sam.ldb'),
    '-s',
    configuration,
  ]);
  renameSync(unfinished, folder);
}
