// Who we are to the API server, from a kubeconfig or the Pod's ServiceAccount.
import { KubeConfig } from '@kubernetes/client-node';
import { LatchkeyError } from '../errors.ts';

export interface Connection {
  /** Origin, such as https://127.0.0.1:6443. */
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

/** Tokens of ServiceAccounts rotate in their file well before they expire; client-go reads them once a minute too. */
const REREAD_AFTER_MS = 10_000;

/**
 * Loads the kubeconfig in `file`, else what kubectl would take ($KUBECONFIG, ~/.kube/config), else the Pod's own.
 * @throws {CredentialsError} where there is none, or where it turns TLS verification off.
 */
export async function loadConnection(file?: string): Promise<Connection> {
  const config = new KubeConfig();
  try {
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
  } catch (cause) {
    throw new CredentialsError('KubeconfigUnusable', `The kubeconfig ${file ?? ''} cannot be read.`, {
      cause,
    });
  }
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new CredentialsError('KubeconfigUnusable', 'The kubeconfig has no current context.');
  if (cluster.skipTLSVerify || !cluster.server.startsWith('https://'))
    throw new CredentialsError(
      'KubeconfigUnusable',
      'The kubeconfig turns TLS verification off. Give it the certificate-authority of the API server instead.',
    );
  if (cluster.proxyUrl !== undefined)
    throw new CredentialsError('KubeconfigUnusable', 'proxy-url in a kubeconfig is not supported.');

  const read = async () => {
    const options: RequestCredentials = { headers: {} };
    await config.applyToHTTPSOptions(options);
    return options;
  };
  let latest = { at: performance.now(), options: await read() };
  const { ca, cert, key, servername } = latest.options;
  const tls = Object.fromEntries(
    Object.entries({ ca, cert, key, servername }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value.toString()]],
    ),
  );
  return {
    server: new URL(cluster.server).origin,
    tls,
    async authorization() {
      if (performance.now() - latest.at > REREAD_AFTER_MS)
        latest = { at: performance.now(), options: await read() };
      return latest.options.headers;
    },
    forget() {
      latest = { ...latest, at: Number.NEGATIVE_INFINITY };
    },
  };
}
