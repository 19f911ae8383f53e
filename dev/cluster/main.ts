// The command `npm run cluster -- up | down | status`: a real control plane to play with.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { LatchkeyError } from '../../src/errors.ts';
import { DevError } from '../errors.ts';
import { down, up } from './background.ts';
import { serverVersion } from './server-version.ts';
import { FILES, readState, supervisorRuns } from './state.ts';

const USAGE = `usage: cluster up | down | status  [--existing]
  --existing   use the cluster of KUBECONFIG, and start and stop nothing (so does USE_EXISTING_CLUSTER=true)`;

/** @returns the exit code */
async function main(args: readonly string[]): Promise<number> {
  const { command, existing } = parse(args);
  if (command === undefined) {
    console.error(USAGE);
    return 2;
  }
  if (existing) return useExisting(command);
  return { up: start, down: stop, status }[command]();
}

type Command = 'up' | 'down' | 'status';

function parse(args: readonly string[]): { command: Command | undefined; existing: boolean } {
  const existing = process.env['USE_EXISTING_CLUSTER'] === 'true';
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { existing: { type: 'boolean', default: existing } },
      allowPositionals: true,
    });
    const [first, ...more] = positionals;
    const command = (['up', 'down', 'status'] as const).find((name) => name === first);
    return { command: more.length === 0 ? command : undefined, existing: values.existing };
  } catch {
    return { command: undefined, existing };
  }
}

async function start(): Promise<number> {
  const { started, ready } = await up();
  const version = await serverVersion(FILES.kubeconfig);
  console.error(`Kubernetes ${version} ${started ? 'runs' : 'runs already'} on ${ready.url}.`);
  console.error(`Its kubectl is ${ready.kubectl}, its logs are in ${ready.folder}.`);
  console.error('Stop it with: npm run cluster -- down');
  sayKubeconfig(FILES.kubeconfig);
  return 0;
}

async function stop(): Promise<number> {
  console.error((await down()) ? 'Stopped.' : 'Nothing runs.');
  return 0;
}

async function status(): Promise<number> {
  const ready = supervisorRuns() ? readState()?.ready : undefined;
  if (ready === undefined) {
    console.error('Nothing runs. Start it with: npm run cluster -- up');
    return 1;
  }
  console.error(`Kubernetes ${await serverVersion(FILES.kubeconfig)} runs on ${ready.url}.`);
  sayKubeconfig(FILES.kubeconfig);
  return 0;
}

async function useExisting(command: Command): Promise<number> {
  if (command === 'down') {
    console.error('The existing cluster is left alone.');
    return 0;
  }
  const kubeconfig = process.env['KUBECONFIG'];
  if (!kubeconfig) {
    throw new DevError('KubeconfigMissing', 'Set KUBECONFIG to the kubeconfig of the existing cluster.');
  }
  console.error(
    `Uses the existing cluster, Kubernetes ${await serverVersion(kubeconfig)}. Nothing was started.`,
  );
  sayKubeconfig(resolve(kubeconfig));
  return 0;
}

// Alone on stdout, so that a shell can eval it.
function sayKubeconfig(file: string): void {
  console.log(`export KUBECONFIG='${file.replaceAll("'", String.raw`'\''`)}'`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof LatchkeyError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
