// What a kubeconfig says: the cluster and the user of its current context, found and merged as kubectl does it.
import { existsSync, readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, sep } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

/** Kubernetes writes an empty text, or null, where there is nothing. */
const text = z
  .string()
  .nullish()
  .transform((value) => value || undefined);

const execSchema = z.object({
  apiVersion: z.string(),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  provideClusterInfo: z.boolean().nullish(),
});

const clusterSchema = z.object({
  server: text,
  'tls-server-name': text,
  'insecure-skip-tls-verify': z.boolean().nullish(),
  'certificate-authority': text,
  'certificate-authority-data': text,
  'proxy-url': text,
  extensions: z.array(z.object({ name: z.string(), extension: z.unknown() })).nullish(),
});

const userSchema = z.object({
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  as: text,
  'as-uid': text,
  'as-groups': z.array(z.string()).nullish(),
  'as-user-extra': z.record(z.string(), z.array(z.string())).nullish(),
  'auth-provider': z.looseObject({}).nullish(),
  exec: execSchema.nullish(),
});

const contextSchema = z.object({ cluster: text, user: text });

/** Only what the current context names is looked at more closely: the rest may be of newer kinds, or broken. */
const entries = z.array(z.looseObject({ name: z.string() })).nullish();
const fileSchema = z.object({
  'current-context': text,
  clusters: entries,
  contexts: entries,
  users: entries,
});

export type Cluster = z.infer<typeof clusterSchema>;
export type User = z.infer<typeof userSchema>;
export type Exec = z.infer<typeof execSchema>;

export interface Kubeconfig {
  /** Undefined where no context is chosen, or where it names no cluster that there is. */
  readonly cluster: Cluster | undefined;
  readonly user: User;
}

/**
 * The files that kubectl would read: those of $KUBECONFIG, else ~/.kube/config where it is there.
 * https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files
 */
export function defaultFiles(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const named = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  if (named.length === 0) return [join(homedir(), '.kube', 'config')].filter((file) => existsSync(file));
  // Some may be missing, all of them may not.
  const there = named.filter((file) => existsSync(file));
  return there.length > 0 ? there : named;
}

/**
 * Reads the files as one: of what has the same name in several of them, the first one counts.
 * @throws {Error} where one cannot be read, or where what the current context names is not what a kubeconfig holds
 */
export function readKubeconfig(files: readonly string[]): Kubeconfig {
  const contents = files.map((file) => ({
    folder: dirname(file),
    ...fileSchema.parse(parse(readFileSync(file, 'utf8')) ?? {}),
  }));
  const find = (key: 'cluster' | 'context' | 'user', name: string | undefined) => {
    for (const { folder, ...content } of contents) {
      const entry = content[`${key}s`]?.find((one) => one.name === name);
      if (entry) return { folder, value: entry[key] ?? {} };
    }
    return undefined;
  };
  const current = contents.find((content) => content['current-context'])?.['current-context'];
  const context = contextSchema.parse(find('context', current)?.value ?? {});
  const cluster = find('cluster', context.cluster);
  const user = find('user', context.user);
  return {
    cluster: cluster && clusterIn(cluster.folder, clusterSchema.parse(cluster.value)),
    user: userIn(user?.folder ?? '', userSchema.parse(user?.value ?? {})),
  };
}

/**
 * Who a Pod is to the API server, in the same form.
 * https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
 * @param folder where its ServiceAccount is
 * @returns undefined outside a Pod
 */
export function podKubeconfig(
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
): Kubeconfig | undefined {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const tokenFile = join(folder, 'token');
  if (!host || !existsSync(tokenFile)) return undefined;
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${env['KUBERNETES_SERVICE_PORT'] ?? '443'}`;
  return {
    cluster: clusterSchema.parse({ server, 'certificate-authority': join(folder, 'ca.crt') }),
    user: userSchema.parse({ tokenFile }),
  };
}

/** Relative names are meant from the folder of the file that they stand in. */
function clusterIn(folder: string, cluster: Cluster): Cluster {
  return { ...cluster, 'certificate-authority': from(folder, cluster['certificate-authority']) };
}

function userIn(folder: string, { exec, ...user }: User): User {
  return {
    ...user,
    'client-certificate': from(folder, user['client-certificate']),
    'client-key': from(folder, user['client-key']),
    tokenFile: from(folder, user.tokenFile),
    // A command without a slash is looked for in $PATH.
    exec: exec && (exec.command.includes(sep) ? { ...exec, command: from(folder, exec.command) } : exec),
  };
}

function from<File extends string | undefined>(folder: string, file: File): File | string {
  return file === undefined || isAbsolute(file) ? file : join(folder, file);
}

export const authorityOf = (cluster: Cluster) =>
  dataOrFile(cluster['certificate-authority-data'], cluster['certificate-authority']);
export const certificateOf = (user: User) =>
  dataOrFile(user['client-certificate-data'], user['client-certificate']);
export const keyOf = (user: User) => dataOrFile(user['client-key-data'], user['client-key']);

/** A token in a file may have rotated since; it counts more than one that is written down. */
export function tokenOf({ token, tokenFile }: User): string | undefined {
  if (tokenFile === undefined) return token;
  const read = readFileSync(tokenFile, 'utf8').trim();
  if (read === '') throw new Error('the file of the token is empty');
  return read;
}

function dataOrFile(data: string | undefined, file: string | undefined): string | undefined {
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  return file === undefined ? undefined : readFileSync(file, 'utf8');
}
