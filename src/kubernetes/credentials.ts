// Who we are to the API server, from a kubeconfig or the Pod's ServiceAccount.
import { createSecureContext, type SecureContext } from 'node:tls';
import { foreignCode, LatchkeyError } from '../errors.ts';
import { execPlugin, type PluginCredentials } from './exec-plugin.ts';
import {
  authorityOf,
  certificateOf,
  defaultFiles,
  keyOf,
  podKubeconfig,
  readKubeconfig,
  tokenOf,
  type Cluster,
  type Kubeconfig,
  type User,
} from './kubeconfig.ts';

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

export class CredentialsError extends LatchkeyError<'KubeconfigUnusable'> {}

/** Tokens of ServiceAccounts rotate in their file well before they expire. */
const REREAD_AFTER_MS = 10_000;
/** How often a refusal may have the credentials read anew: a plugin that makes them is a process each time. */
const FORGET_AFTER_MS = 1_000;

/** Where a Pod finds who it is. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Without these, a request would have rights that it should not have, or lack some. */
const IMPERSONATION = ['as-uid', 'as-groups', 'as-user-extra'] as const;

/**
 * Loads the kubeconfig in `file`, else what kubectl would take ($KUBECONFIG, ~/.kube/config), else the Pod's own.
 * @throws {CredentialsError} where there is none, or where it turns TLS verification off.
 */
export async function loadConnection(file?: string): Promise<Connection> {
  let config = load(file);
  const { server } = config;
  let latest = await read(config);
  let reading: Promise<void> | undefined;
  let forgotten = false;

  async function readAgain(): Promise<void> {
    // Only what is loaded anew asks a plugin again whose answer has not expired.
    if (forgotten) config = load(file);
    // Where somebody has switched the context meanwhile, these credentials are another cluster's.
    if (config.server !== server) throw otherCluster();
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

interface Usable {
  readonly server: string;
  readonly cluster: Cluster;
  readonly user: User;
  readonly plugin: (() => Promise<PluginCredentials>) | undefined;
}

function load(file: string | undefined): Usable {
  try {
    return usable(found(file));
  } catch (error) {
    if (error instanceof CredentialsError) throw error;
    throw unusable(`The kubeconfig ${file ?? ''} cannot be read`, error);
  }
}

function found(file: string | undefined): Kubeconfig {
  const files = file === undefined ? defaultFiles(process.env) : [file];
  if (files.length > 0) return readKubeconfig(files);
  const own = podKubeconfig(process.env, SERVICE_ACCOUNT);
  if (!own) throw refused('There is no kubeconfig. Name one with --kubeconfig or the variable KUBECONFIG.');
  return own;
}

/** @throws {CredentialsError} where it is not safe, or asks for what would be left out silently */
function usable({ cluster, user }: Kubeconfig): Usable {
  if (!cluster)
    throw refused('The kubeconfig has no current context. Set one: kubectl config use-context NAME.');
  if (cluster['insecure-skip-tls-verify'] === true)
    throw refused(
      'The kubeconfig turns TLS verification off. Give it the certificate-authority of the API server instead.',
    );
  const server = cluster.server ?? '';
  if (!URL.canParse(server) || new URL(server).protocol !== 'https:')
    throw refused('The server in the kubeconfig has no https:// address. Latchkey speaks to it by TLS only.');
  if (cluster['proxy-url'] !== undefined) throw refused('proxy-url in a kubeconfig is not supported.');
  if (user['auth-provider'])
    throw refused('auth-provider in a kubeconfig is not supported. Use a credential plugin (exec) instead.');
  if (IMPERSONATION.some((key) => user[key]))
    throw refused(`Of impersonation, a kubeconfig may only say "as", not ${IMPERSONATION.join(', ')}.`);
  const plugin = user.exec ? execPlugin(user.exec, cluster) : undefined;
  return { server, cluster, user, plugin };
}

async function read({ cluster, user, plugin }: Usable) {
  try {
    const made = await plugin?.();
    const tls = {
      ca: authorityOf(cluster),
      cert: made?.clientCertificateData ?? certificateOf(user),
      key: made?.clientKeyData ?? keyOf(user),
      servername: cluster['tls-server-name'],
    };
    return {
      at: performance.now(),
      headers: headersOf(user, tokenOf(user) ?? made?.token),
      tls: Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)),
    };
  } catch (error) {
    throw unusable('The credentials that the kubeconfig names cannot be read', error);
  }
}

/**
 * What TLS connections are made with; to be made once, before the first.
 * @throws {CredentialsError} where a certificate or key is none: each connection would fail, in OpenSSL's words
 */
export function secureContext({ ca, cert, key }: Connection['tls']): SecureContext {
  try {
    return createSecureContext({ ca, cert, key });
  } catch (error) {
    throw unusable('The certificates in the kubeconfig cannot be used', error);
  }
}

function headersOf({ username, password, as }: User, token: string | null | undefined) {
  const basic = username === undefined ? undefined : `${username}:${password ?? ''}`;
  return {
    ...(basic !== undefined && { Authorization: `Basic ${Buffer.from(basic).toString('base64')}` }),
    ...(token && { Authorization: `Bearer ${token}` }),
    ...(as !== undefined && { 'Impersonate-User': as }),
  };
}

function refused(why: string): CredentialsError {
  return new CredentialsError('KubeconfigUnusable', why);
}

function otherCluster(): CredentialsError {
  return new CredentialsError('KubeconfigUnusable', 'The kubeconfig now names another cluster. Start again.');
}

/** Without the error itself as the cause: it may quote the file, or what a plugin printed. */
function unusable(what: string, error: unknown): CredentialsError {
  return new CredentialsError(
    'KubeconfigUnusable',
    `${what}${foreignCode(error)}. Try kubectl with it, which says more.`,
  );
}
