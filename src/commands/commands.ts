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

/** Runs `use` with a client for the cluster of the settings, with the caller's own credentials. */
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
  } finally {
    await client.close();
  }
}

/** Ours, once the API server's answers say that it agrees with theirs; else theirs. */
async function clockOf(client: KubernetesClient): Promise<() => Date> {
  const { watchClock } = await import('../kubernetes/clock-watch.ts');
  return watchClock(client).now;
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
  command('why', 'Explains why a user has a token, or none, and what to do.', whySettings, (settings) =>
    withClient(settings, async (client) => {
      const { why } = await import('./why.ts');
      const { user: asked, namespace } = settings;
      return why({ client, out: print }, { asked, namespace, now: new Date() });
    }),
  ),
  command(
    'confirm',
    'Lets what is held go on: so many Users lose their access that an admin is asked.',
    confirmSettings,
    (settings) =>
      withClient(settings, async (client) => {
        const { confirm } = await import('./confirm.ts');
        return confirm({ client, out: print }, settings.id);
      }),
  ),
  command(
    'release',
    'Lets a deleted CustomResourceDefinition go, and keeps the namespaces.',
    z.object(clusterSettings),
    (settings) =>
      withClient(settings, async (client) => {
        const { release } = await import('./release.ts');
        return release({ client, out: print });
      }),
  ),
  command('revoke', 'Ends the session of one user, or with --all everybody’s.', revokeSettings, (settings) =>
    withClient(settings, async (client) => {
      const { revokeAll, revokeUser } = await import('./revoke.ts');
      const { namespace } = settings;
      return settings.user === undefined
        ? revokeAll({ client, out: print }, { namespace, now: await clockOf(client) })
        : revokeUser({ client, out: print }, settings.user);
    }),
  ),
  command(
    'adopt',
    'Hands namespaces that a restored backup orphaned to their Users.',
    adoptSettings,
    (settings) =>
      withClient(settings, async (client) => {
        const { adoptRestored } = await import('./adopt.ts');
        return adoptRestored({ client, out: print });
      }),
  ),
  command(
    'uninstall',
    'Takes every token away, and what else the operator has made; run it before "helm uninstall".',
    uninstallSettings,
    ({ namespace, deleteNamespaces, ...settings }) =>
      withClient(settings, async (client) => {
        const { uninstall } = await import('./uninstall/uninstall.ts');
        return uninstall({ client, out: print }, { namespace, deleteNamespaces });
      }),
  ),
  command('keys list', 'Shows which signing keys there are.', z.object(clusterSettings), (settings) =>
    withClient(settings, async (client) => {
      const { listKeys } = await import('./keys.ts');
      return listKeys({ client, namespace: settings.namespace, out: print });
    }),
  ),
  command('keys rotate', 'Signs with the next key from now on.', z.object(clusterSettings), (settings) =>
    withClient(settings, async (client) => {
      const { rotateKeys } = await import('./keys.ts');
      return rotateKeys({
        client,
        namespace: settings.namespace,
        now: await clockOf(client),
        out: print,
      });
    }),
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
      const show = (text: string) =>
        showLicense({ text, publicKeyFile: licensePublicKeyFile, now: new Date(), out: print });
      if (file !== undefined) {
        const { readTextFile } = await import('./read-text-file.ts');
        return show(readTextFile('file', file));
      }
      return withClient(settings, async (client) => {
        const { secretValue } = await import('../kubernetes/secret-value.ts');
        return show(await secretValue(client, { namespace, ...IN_CLUSTER }));
      });
    },
  ),
  command(
    'callers add',
    'Lets a service ask about tokens; prints its own token once.',
    callerSettings,
    ({ namespace, name, ...settings }) =>
      withClient(settings, async (client) => {
        const { addCallerNamed } = await import('./callers.ts');
        return addCallerNamed({ client, namespace, out: print, note }, name);
      }),
  ),
  command(
    'callers list',
    'Shows who may ask about tokens.',
    z.object(clusterSettings),
    ({ namespace, ...settings }) =>
      withClient(settings, async (client) => {
        const { listCallers } = await import('./callers.ts');
        return listCallers({ client, namespace, out: print, note });
      }),
  ),
  command(
    'callers remove',
    'Refuses a service from now on.',
    callerRemovalSettings,
    ({ namespace, name, ...settings }) =>
      withClient(settings, async (client) => {
        const { removeCallerNamed } = await import('./callers.ts');
        return removeCallerNamed({ client, namespace, out: print, note }, name);
      }),
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
