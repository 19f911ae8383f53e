// The commands of the program, each with its settings. What one of them does is loaded when it runs: most need little.
import { z } from 'zod';
import { readSettings } from '../config/read-settings.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { clusterSettings } from './cluster-settings.ts';
import { serveSettings } from './serve/settings.ts';
import {
  adoptSettings,
  callerRemovalSettings,
  callerSettings,
  confirmSettings,
  hashSettings,
  issueLicenseSettings,
  revokeSettings,
  showLicenseSettings,
  uninstallSettings,
  whySettings,
} from './settings.ts';

export interface Invocation {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export interface Command {
  readonly words: readonly string[];
  readonly summary: string;
  readonly settings: z.ZodObject;
  run(invocation: Invocation): Promise<void>;
}

function command<Shape extends z.ZodRawShape>(
  name: string,
  summary: string,
  settings: z.ZodObject<Shape>,
  run: (settings: z.infer<z.ZodObject<Shape>>, signal: AbortSignal) => Promise<void>,
): Command {
  return {
    words: name.split(' '),
    summary,
    settings,
    run: ({ argv, env, signal }) => run(readSettings(settings, { argv, env }), signal),
  };
}

const print = (line: string) => console.log(line);
/** For a person, beside what a script reads. */
const note = (line: string) => console.error(line);

/** What a command has that talks to the cluster, with the caller's own credentials. */
interface AtCluster {
  readonly client: KubernetesClient;
  readonly out: (line: string) => void;
}

async function withClient(
  { kubeconfig }: { kubeconfig?: string | undefined },
  use: (client: KubernetesClient) => Promise<void>,
): Promise<void> {
  const [{ kubernetesClient }, { loadConnection }] = await Promise.all([
    import('../kubernetes/client.ts'),
    import('../kubernetes/credentials.ts'),
  ]);
  const client = kubernetesClient(await loadConnection(kubeconfig));
  try {
    await use(client);
  } catch (error) {
    const { forPeople } = await import('./cluster-error.ts');
    throw forPeople(error);
  } finally {
    await client.close();
  }
}

/** Ours, once the API server's answers say that it agrees with theirs; else theirs. */
async function clockOf(client: KubernetesClient): Promise<() => Date> {
  const { watchClock } = await import('../kubernetes/clock-watch.ts');
  return watchClock(client).now;
}

/** @param load the module that does the work; it is loaded when the command runs */
function clusterCommand<Shape extends typeof clusterSettings, Module>(
  name: string,
  summary: string,
  settings: z.ZodObject<Shape>,
  load: () => Promise<Module>,
  run: (module: Module, at: AtCluster, settings: z.infer<z.ZodObject<Shape>>) => Promise<void>,
): Command {
  return command(name, summary, settings, (given) =>
    // Every Shape has it; TypeScript does not see that through what zod infers.
    withClient(given as { kubeconfig?: string }, async (client) =>
      run(await load(), { client, out: print }, given),
    ),
  );
}

export const COMMANDS: readonly Command[] = [
  command(
    'serve',
    'Runs the operator, the portal and the issuer.',
    serveSettings,
    async (settings, signal) => {
      const [{ serve }, { createLog }] = await Promise.all([import('./serve/serve.ts'), import('../log.ts')]);
      return serve(settings, createLog(settings.logLevel), signal);
    },
  ),
  clusterCommand(
    'why',
    'Explains why a user has a token, or none, and what to do.',
    whySettings,
    () => import('./why.ts'),
    async ({ why }, at, { user: asked, namespace }) =>
      why(at, { asked, namespace, now: await clockOf(at.client) }),
  ),
  clusterCommand(
    'confirm',
    'Lets what is held go on: so many Users lose their access that an admin is asked.',
    confirmSettings,
    () => import('./confirm.ts'),
    ({ confirm }, at, { id }) => confirm(at, id),
  ),
  clusterCommand(
    'release',
    'Lets a deleted CustomResourceDefinition go, and keeps the namespaces.',
    z.object(clusterSettings),
    () => import('./release.ts'),
    ({ release }, at) => release(at),
  ),
  clusterCommand(
    'revoke',
    'Ends the session of one user, or with --all everybody’s.',
    revokeSettings,
    () => import('./revoke.ts'),
    async ({ revokeAll, revokeUser }, at, { user, namespace }) =>
      user === undefined ? revokeAll(at, { namespace, now: await clockOf(at.client) }) : revokeUser(at, user),
  ),
  clusterCommand(
    'adopt',
    'Hands namespaces that a restored backup orphaned to their Users.',
    adoptSettings,
    () => import('./adopt.ts'),
    ({ adoptRestored }, at) => adoptRestored(at),
  ),
  clusterCommand(
    'uninstall',
    'Takes every token away, and what else the operator has made; run it before "helm uninstall".',
    uninstallSettings,
    () => import('./uninstall/uninstall.ts'),
    ({ uninstall }, at, { namespace, deleteNamespaces }) => uninstall(at, { namespace, deleteNamespaces }),
  ),
  clusterCommand(
    'keys list',
    'Shows which signing keys there are.',
    z.object(clusterSettings),
    () => import('./keys.ts'),
    ({ listKeys }, at, { namespace }) => listKeys({ ...at, namespace }),
  ),
  clusterCommand(
    'keys rotate',
    'Signs with the next key from now on.',
    z.object(clusterSettings),
    () => import('./keys.ts'),
    async ({ rotateKeys }, at, { namespace }) =>
      rotateKeys({ ...at, namespace, now: await clockOf(at.client) }),
  ),
  command('license issue', 'Makes a licence; for the vendor.', issueLicenseSettings, async (settings) => {
    const { makeLicense } = await import('./license.ts');
    print(await makeLicense({ ...settings, notBefore: settings.notBefore }, new Date()));
  }),
  command(
    'license show',
    'Shows the licence, and whether it counts.',
    showLicenseSettings,
    async ({ file, namespace, licensePublicKeyFile, ...settings }) => {
      const { IN_CLUSTER, showLicense } = await import('./license.ts');
      const show = (text: string, now: Date) =>
        showLicense({ text, publicKeyFile: licensePublicKeyFile, now, out: print });
      if (file !== undefined) {
        const { readTextFile } = await import('./read-text-file.ts');
        return show(readTextFile('file', file), new Date());
      }
      return withClient(settings, async (client) => {
        const { secretValue } = await import('../kubernetes/secret-value.ts');
        const now = await clockOf(client);
        return show(await secretValue(client, { namespace, ...IN_CLUSTER }), now());
      });
    },
  ),
  clusterCommand(
    'callers add',
    'Lets a service ask about tokens; prints its own token once.',
    callerSettings,
    () => import('./callers.ts'),
    ({ addCallerNamed }, at, { namespace, name }) => addCallerNamed({ ...at, namespace, note }, name),
  ),
  clusterCommand(
    'callers list',
    'Shows who may ask about tokens.',
    z.object(clusterSettings),
    () => import('./callers.ts'),
    ({ listCallers }, at, { namespace }) => listCallers({ ...at, namespace, note }),
  ),
  clusterCommand(
    'callers remove',
    'Refuses a service from now on.',
    callerRemovalSettings,
    () => import('./callers.ts'),
    ({ removeCallerNamed }, at, { namespace, name }) => removeCallerNamed({ ...at, namespace, note }, name),
  ),
  command(
    'accounts hash',
    'Makes the line of a local account; reads the password.',
    hashSettings,
    async (settings) => {
      const { accountLine } = await import('./hash-password.ts');
      print(await accountLine(settings.username, process.stdin));
    },
  ),
];
