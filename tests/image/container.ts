// Runs a program as a container runtime does: as process 1, without rights, in a file tree of its own that it cannot write.
import {
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** What stands for the base image: this machine's programs and libraries. */
const BASE = ['/usr', '/bin', '/lib', '/lib64', '/etc/ssl', '/dev'];
const NODE = '/opt/node';

export interface Container {
  /** The folder that stands for `/`; it becomes read-only. */
  readonly root: string;
  readonly workingDirectory: string;
  readonly user: number;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Folders of this machine, by where they are seen, read-only. */
  readonly mounts?: Readonly<Record<string, string>>;
}

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/** @returns the command that starts it: it takes root, for namespaces and for becoming somebody else. */
export function inContainer(container: Container): Command {
  const { root, workingDirectory, user, argv, env = {}, mounts = {} } = container;
  const bound: Record<string, string> = { [NODE]: dirname(process.execPath), ...mounts };
  for (const folder of BASE) {
    if (!lstatSync(folder).isSymbolicLink()) bound[folder] = folder;
    else if (!readdirSync(root).includes(folder.slice(1)))
      symlinkSync(readlinkSync(folder), join(root, folder));
  }
  for (const folder of ['/proc', '/tmp', ...Object.keys(bound)])
    mkdirSync(join(root, folder), { recursive: true });
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const script = [
    `mount --bind ${quoted(root)} ${quoted(root)}`,
    ...Object.entries(bound).flatMap(([target, source]) => [
      `mount --bind ${quoted(source)} ${quoted(join(root, target))}`,
      `mount -o remount,bind,ro ${quoted(join(root, target))}`,
    ]),
    `mount -t proc proc ${quoted(join(root, 'proc'))}`,
    `mount -o remount,bind,ro ${quoted(root)}`,
    // No right of root is left: whoever is not root has none after exec, and gets none.
    `exec setpriv --no-new-privs chroot --userspec=${user}:${user} --groups=${user} ${quoted(root)} ` +
      `/usr/bin/env -i -C ${quoted(workingDirectory)} "$@"`,
  ].join('\n');
  // A container runtime sets HOME to / for whoever is not in /etc/passwd.
  const variables = Object.entries({ PATH: `${NODE}:/usr/bin:/bin`, HOME: '/', ...env });
  return {
    command: 'unshare',
    args: [
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      'sh',
      '-ec',
      script,
      'container',
      ...variables.map(([name, value]) => `${name}=${value}`),
      ...argv,
    ],
  };
}

/** The process 1 of a container, by its id outside of it. @param pid that of the command that started it */
export function processOne(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

/** Files as the kubelet mounts them: root's, and for the group of the Pod to read (fsGroup). @returns their folder */
export function volume(folder: string, group: number, files: Readonly<Record<string, string>>): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text, { mode: 0o640 });
    chownSync(join(folder, name), 0, group);
  }
  return folder;
}
