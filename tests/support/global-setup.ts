// Before all suites: offers one control plane, and what others begin with; both are made when the first suite asks.
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type ControlPlane, startControlPlane } from '../../dev/cluster/control-plane.ts';
import { install } from '../../dev/latchkey/install.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { SOCKET_VARIABLE } from './cluster.ts';
import { setTeardown } from './teardown.ts';

interface ProjectConfig {
  readonly testMatch: readonly string[];
}

export default async function globalSetup(_: unknown, { testMatch }: ProjectConfig): Promise<void> {
  let controlPlane: Promise<ControlPlane> | undefined;
  let installed: Promise<string> | undefined;
  const answer = async (url: URL): Promise<unknown> => {
    if (url.pathname === '/installed')
      return (installed ??= installOnce().catch((error: unknown) => {
        // Whoever has asked fails, and not everybody after them.
        installed = undefined;
        throw error;
      }));
    controlPlane ??= startControlPlane();
    const cluster = await controlPlane;
    if (url.pathname === '/cluster') return cluster;
    return cluster.clientKubeconfig(url.searchParams.get('user') ?? '', url.searchParams.getAll('group'));
  };
  const server = createServer((request, response) => {
    answer(new URL(request.url ?? '/', 'http://socket')).then(
      (result) => response.end(JSON.stringify(result)),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    );
  });

  const folder = temporaryFolder('latchkey-tests');
  const socket = join(folder.path, 'socket');
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(socket, resolve);
  });
  process.env[SOCKET_VARIABLE] = socket;
  // What a suite that is interrupted leaves behind goes with this folder.
  process.env['TMPDIR'] = folder.path;
  // Suites start `latchkey` hundreds of times; compiled once, each start takes a third less of a processor.
  process.env['NODE_COMPILE_CACHE'] = join(folder.path, 'compiled');
  // kube-apiserver takes an eighth less of a processor, kubectl and Helm a fifth, where they collect garbage at five
  // times what they hold and not at twice. Not in the soak: its control plane is to be like any other.
  if (!testMatch.some((pattern) => pattern.includes('.soak.'))) process.env['GOGC'] = '400';

  // Only a process that exits removes its folders; one that a signal ends does not.
  process.on('SIGINT', exit).on('SIGTERM', exit);
  setTeardown(async () => {
    process.off('SIGINT', exit).off('SIGTERM', exit);
    server.close();
    server.closeAllConnections();
    await (await controlPlane?.catch(() => undefined))?.stop();
    folder.remove();
  });
}

/** @returns a folder for control planes to begin with, which have the chart with the values of `install` */
async function installOnce(): Promise<string> {
  const { path: heirs } = temporaryFolder('latchkey-installed');
  const cluster = await startControlPlane();
  try {
    await install(cluster);
    await cluster.leaveTo(heirs);
  } finally {
    await cluster.stop();
  }
  return heirs;
}

function exit(): never {
  process.exit(1);
}
