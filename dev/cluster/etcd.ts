// The command line of etcd.
import { join } from 'node:path';

/** The name of its folder in that of the control plane. */
export const ETCD_DATA = 'etcd';

/**
 * etcd listens on Unix sockets in the private folder alone: no port to collide on, and nobody but its owner can
 * read the Secrets in it. It does not wait for the disk (`--unsafe-no-fsync`), since its data dies with it.
 */
export function etcdFlags(folder: string): string[] {
  const peer = `unix://${join(folder, 'etcd-peer.sock')}`;
  return [
    '--name=latchkey',
    `--data-dir=${join(folder, ETCD_DATA)}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
    `--listen-client-urls=${etcdUrl(folder)}`,
    `--advertise-client-urls=${etcdUrl(folder)}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=latchkey=${peer}`,
  ];
}

export function etcdUrl(folder: string): string {
  return `unix://${join(folder, 'etcd.sock')}`;
}
