// Who we are to the API server, from a kubeconfig or the Pod's ServiceAccount.
import { isNativeError } from 'node:util/types';
import { KubeConfig } from '@kubernetes/client-node';
import { LatchkeyError } from '../errors.ts';

export interface Connection {
  /** URL, such as https://127.0.0.1:6443; behind a proxy it may have a path. */
  readonly server: string;
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
  };
  /** The headers that authenticate a request; read again now and then, since tokens in files rotate. */
  authorization(): Promise<Readonly<Record<string, string>>>;
  /** Forgets what was read, because the API server has refused it. */
  forget(): void;
}

/** What client-node fills in for a request. */
interface RequestCredentials {
  readonly headers: Record<string, string>;
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
}

export class CredentialsError extends LatchkeyError<'KubeconfigUnusable'> {}

/** Tokens of ServiceAccounts rotate in their file well before they expire; client-node itself reads them once a minute. */
const REREAD_AFTER_MS = 10_000;
/** How often a refusal may have the credentials read anew: a plugin that makes them is a process each time. */
const FORGET_AFTER_MS = 1_000;

/** What client-node takes where it finds neither a kubeconfig nor a Pod's ServiceAccount. */
const NO_KUBECONFIG = 'http://localhost:8080';

/**
 * Loads the kubeconfig in `file`, else what kubectl would take ($KUBECONFIG, ~/.kube/config), else the Pod's own.
 * @throws {CredentialsError} where there is none, or where it turns TLS verification off.
 */
export async function loadConnection(file?: string): Promise<Connection> {
  let config = load(file);
  const server = usableServer(config);
  let latest = await read(config);
  let reading: Promise<void> | undefined;
  let forgotten = false;

  async function readAgain(): Promise<void> {
    // client-node caches tokens too: only another KubeConfig has none.
    if (forgotten) config = load(file);
    // Where somebody has switched the context meanwhile, these credentials are another cluster's.
    if (usableServer(config) !== server) throw otherCluster();
    latest = await read(config);
    forgotten = false;
  }

  return {
    server,
    tls: latest.tls,
    async authorization() {
      if (forgotten || performance.now() - latest.at > REREAD_AFTER_MS) {
        reading ??= readAgain().finally(() => {
          reading = undefined;
        });
        await reading;
      }
      return latest.headers;
    },
    forget() {
      forgotten ||= performance.now() - latest.at > FORGET_AFTER_MS;
    },
  };
}

function load(file: string | undefined): KubeConfig {
  const config = new KubeConfig();
  try {
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
  } catch (error) {
    throw unusable(`The kubeconfig ${file ?? ''} cannot be read`, error);
  }
  return config;
}

function usableServer(config: KubeConfig): string {
  const refuse = (why: string) => new CredentialsError('KubeconfigUnusable', why);
  const cluster = config.getCurrentCluster();
  if (!cluster)
    throw refuse('The kubeconfig has no current context. Set one: kubectl config use-context NAME.');
  if (cluster.server === NO_KUBECONFIG)
    throw refuse('There is no kubeconfig. Name one with --kubeconfig or the variable KUBECONFIG.');
  if (cluster.skipTLSVerify)
    throw refuse(
      'The kubeconfig turns TLS verification off. Give it the certificate-authority of the API server instead.',
    );
  if (!URL.canParse(cluster.server) || new URL(cluster.server).protocol !== 'https:')
    throw refuse('The server in the kubeconfig has no https:// address. Latchkey speaks to it by TLS only.');
  if (cluster.proxyUrl !== undefined) throw refuse('proxy-url in a kubeconfig is not supported.');
  return cluster.server;
}

async function read(config: KubeConfig) {
  const options: RequestCredentials = { headers: {} };
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    throw unusable('The credentials that the kubeconfig names cannot be read', error);
  }
  const { headers, ca, cert, key, servername } = options;
  const tls = Object.fromEntries(
    Object.entries({ ca, cert, key, servername }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value.toString()]],
    ),
  );
  return { at: performance.now(), headers, tls };
}

function otherCluster(): CredentialsError {
  return new CredentialsError('KubeconfigUnusable', 'The kubeconfig now names another cluster. Start again.');
}

/** Without the error itself as the cause: it may quote the file, or what a plugin printed. */
function unusable(what: string, error: unknown): CredentialsError {
  const code = isNativeError(error) && 'code' in error ? ` (${String(error.code)})` : '';
  return new CredentialsError('KubeconfigUnusable', `${what}${code}. Try kubectl with it, which says more.`);
}
