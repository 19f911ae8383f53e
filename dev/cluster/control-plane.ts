// Starts a real Kubernetes control plane on loopback: etcd, kube-apiserver and kube-controller-manager.
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../ports.ts';
import { type ServerProcess, startServer } from '../process.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { waitUntil } from '../wait-until.ts';
import { answersOk } from './answers.ts';
import { apiServerFlags } from './api-server.ts';
import { type Binaries, findBinaries } from './binaries.ts';
import { controllerManagerFlags } from './controller-manager.ts';
import { ETCD_DATA, etcdFlags } from './etcd.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { runKubectl } from './kubectl.ts';
import { createPki, pkiIn } from './pki.ts';

const READY_TIMEOUT_MS = 60_000;
const PKI = 'pki';

export interface ApiServerOptions {
  /** More flags of kube-apiserver, for instance `--authentication-config=FILE`; they stand after the usual ones. */
  apiServerFlags?: readonly string[];
}

export interface ControlPlaneOptions extends ApiServerOptions {
  /** More flags of kube-controller-manager. */
  controllerManagerFlags?: readonly string[];
  /** A folder that `leaveTo` of another one has filled: it begins with a copy of those data, and under those keys. */
  from?: string;
}

export interface ControlPlane {
  /** The private folder with all its files; the servers' logs are `*.log` in it. */
  readonly folder: string;
  readonly binaries: Binaries;
  readonly url: string;
  /** Signs the API server's certificate and the clients'. */
  readonly caFile: string;
  /** For the group `system:masters`. */
  readonly adminKubeconfig: string;
  /** The ids of the processes that run now. */
  pids(): number[];
  /** Makes a client certificate for that user name, and returns the path of a kubeconfig with it. */
  clientKubeconfig(commonName: string, groups?: readonly string[]): Promise<string>;
  /** Kills the API server alone; its port and its data stay. (A polite stop waits a minute for the watches to end.) */
  stopApiServer(): Promise<void>;
  /** Starts the API server, stopped first where it runs: same port, same data, these flags instead of the last. */
  restartApiServer(options?: ApiServerOptions): Promise<void>;
  /** Kills etcd alone; the API server stays, and can neither read nor write. The data stay. */
  stopEtcd(): Promise<void>;
  /** Starts etcd, killed first where it runs, with its data; resolves when the API server is ready again. */
  restartEtcd(): Promise<void>;
  /** Starts one more API server over the same data, with these flags and a port of its own; it ends with the others. */
  startAnotherApiServer(
    options: ApiServerOptions,
  ): Promise<{ readonly url: string; readonly caFile: string }>;
  /** Ends every process, and leaves to others in that folder what they begin with (`from`); `stop` removes the rest. */
  leaveTo(heirs: string): Promise<void>;
  /** Ends every process and removes every file. */
  stop(): Promise<void>;
}

/**
 * Returns when `/readyz` answers ok, the namespace `default` is there and the controllers work. Whoever starts one
 * stops it; should this process die before, the servers die with it.
 * @throws DevError of `findBinaries`, `ProcessDied` with the end of a server's log, or `TimedOut`
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = await findBinaries();
  const { path: folder, remove } = temporaryFolder('latchkey-cluster');
  const servers = new Map<keyof Binaries, ServerProcess>();
  const others: ServerProcess[] = [];
  const start = (name: keyof Binaries, args: readonly string[]): void => {
    const server = startServer({ command: binaries[name], args, logFile: join(folder, `${name}.log`) });
    servers.set(name, server);
  };
  const stop = async (): Promise<void> => {
    await Promise.all([...servers.values(), ...others].map((server) => server.kill()));
    remove();
  };

  try {
    if (options.from !== undefined) await copyData(options.from, folder);
    const startEtcd = (): void => start('etcd', etcdFlags(folder));
    startEtcd();
    const pkiFolder = join(folder, PKI);
    const pki = options.from === undefined ? await createPki(pkiFolder) : pkiIn(pkiFolder);
    const port = await freePort();
    const url = `https://127.0.0.1:${port}`;
    const adminKubeconfig = join(folder, 'admin.kubeconfig');
    writeKubeconfig(adminKubeconfig, url, pki.caFile, pki.admin);

    const untilOk = (what: string, ...paths: string[]): Promise<boolean> =>
      waitUntil(what, READY_TIMEOUT_MS, () => {
        for (const server of servers.values()) server.assertAlive();
        return answersOk(url, pki.caFile, pki.admin, paths);
      });
    const untilReady = (): Promise<boolean> =>
      untilOk('the API server to be ready', '/readyz', '/api/v1/namespaces/default');
    const startApiServer = ({ apiServerFlags: extra = [] }: ApiServerOptions): Promise<boolean> => {
      start('kube-apiserver', [...apiServerFlags(folder, port, pki), ...extra]);
      return untilReady();
    };
    await startApiServer(options);
    // It gives up for good when the API server is away in its first seconds: so it starts after it, and nobody
    // can stop the API server before this first work of its hands is there. (`leaveTo` leaves it out.)
    start('kube-controller-manager', [
      ...controllerManagerFlags(adminKubeconfig, pki),
      ...(options.controllerManagerFlags ?? []),
    ]);
    await untilOk('the controllers to run', '/api/v1/namespaces/default/serviceaccounts/default');

    const kill = async (name: keyof Binaries): Promise<void> => {
      await servers.get(name)?.kill();
      servers.delete(name);
    };
    const stopApiServer = (): Promise<void> => kill('kube-apiserver');
    let clients = 0;
    return {
      folder,
      binaries,
      url,
      caFile: pki.caFile,
      adminKubeconfig,
      pids: () => [...servers.values()].map((server) => server.pid),
      async clientKubeconfig(commonName, groups = []) {
        clients += 1;
        const name = `client-${clients}`;
        const client = await pki.authority.issue({ name, commonName, organizations: groups });
        const file = join(folder, `${name}.kubeconfig`);
        writeKubeconfig(file, url, pki.caFile, client);
        return file;
      },
      stopApiServer,
      async restartApiServer(next = {}) {
        await stopApiServer();
        await startApiServer(next);
      },
      stopEtcd: () => kill('etcd'),
      async restartEtcd() {
        await kill('etcd');
        startEtcd();
        await untilReady();
      },
      async startAnotherApiServer({ apiServerFlags: extra = [] }) {
        const itsPort = await freePort();
        const itsUrl = `https://127.0.0.1:${itsPort}`;
        const server = startServer({
          command: binaries['kube-apiserver'],
          args: [...apiServerFlags(folder, itsPort, pki), ...extra],
          logFile: join(folder, `kube-apiserver-${itsPort}.log`),
        });
        others.push(server);
        await waitUntil('another API server to be ready', READY_TIMEOUT_MS, () => {
          server.assertAlive();
          return answersOk(itsUrl, pki.caFile, pki.admin, ['/readyz']);
        });
        return { url: itsUrl, caFile: pki.caFile };
      },
      async leaveTo(heirs) {
        await kill('kube-controller-manager');
        await runKubectl({
          kubectl: binaries.kubectl,
          kubeconfig: adminKubeconfig,
          args: ['-n', 'default', 'delete', 'serviceaccount', 'default'],
        });
        await stopApiServer();
        await kill('etcd');
        await copyData(folder, heirs);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function copyData(from: string, to: string): Promise<void> {
  for (const name of [ETCD_DATA, PKI]) {
    // Not the 64 MB that etcd has made ready for the next segment of its log.
    const filter = (file: string) => !file.endsWith('.tmp');
    await cp(join(from, name), join(to, name), { recursive: true, filter });
  }
}
