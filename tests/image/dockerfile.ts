// Carries out a Dockerfile without a container engine: every stage is a folder, and what it runs, runs on this machine.
import { cpSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { runProgram } from '../../dev/run-program.ts';

/** On a busy machine `npm ci` takes a minute or two. */
const RUN_TIMEOUT_MS = 300_000;

/** The last stage: its file tree, without that of its base, and what it says of the process. */
export interface Image {
  /** The names of the base images, of all stages. */
  readonly bases: readonly string[];
  /** The stages by their names. */
  readonly stages: ReadonlyMap<string, Pick<Image, 'root' | 'workingDirectory'>>;
  /** The folder that stands for `/`. */
  readonly root: string;
  readonly workingDirectory: string;
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
}

interface Stage {
  readonly root: string;
  workingDirectory: string;
  user: string;
  entrypoint: readonly string[];
  cmd: readonly string[];
}

/**
 * @param repository where the Dockerfile and the .dockerignore are
 * @param folder an empty one
 * @throws where a file is not there, a command fails, or the Dockerfile has an instruction that this does not know
 */
export async function carryOut(repository: string, folder: string): Promise<Image> {
  const context = join(folder, 'context');
  copyContext(repository, context);
  const stages = new Map<string, Stage>();
  const bases: string[] = [];
  let stage: Stage | undefined;
  for (const [instruction, rest] of instructions(readFileSync(join(repository, 'Dockerfile'), 'utf8'))) {
    if (instruction === 'FROM') {
      const [base = '', , name = ''] = rest.split(/\s+/);
      bases.push(base);
      stage = { root: join(folder, `stage-${bases.length}`), workingDirectory: '/', user: '', entrypoint: [], cmd: [] }; // prettier-ignore
      mkdirSync(stage.root);
      stages.set(name, stage);
      continue;
    }
    if (!stage) throw new Error(`${instruction} stands before FROM`);
    const here = join(stage.root, stage.workingDirectory);
    if (instruction === 'WORKDIR') {
      stage.workingDirectory = resolve(stage.workingDirectory, rest);
      mkdirSync(join(stage.root, stage.workingDirectory), { recursive: true });
    } else if (instruction === 'COPY') {
      const words = rest.split(/\s+/);
      const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
      const source = from === undefined ? context : stages.get(from)?.root;
      if (source === undefined) throw new Error(`there is no stage ${from}`);
      copy(words.slice(0, -1).map((word) => join(source, word)), words.at(-1) ?? '', here); // prettier-ignore
    } else if (instruction === 'RUN') await run(rest, here);
    else if (instruction === 'USER') stage.user = rest;
    else if (instruction === 'ENTRYPOINT') stage.entrypoint = JSON.parse(rest) as string[];
    else if (instruction === 'CMD') stage.cmd = JSON.parse(rest) as string[];
    else throw new Error(`what ${instruction} does is not known here`);
  }
  if (!stage) throw new Error('the Dockerfile has no stage');
  return { bases, stages, ...stage };
}

function instructions(dockerfile: string): (readonly [string, string])[] {
  return dockerfile
    .replace(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, instruction = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
      return [instruction, rest];
    });
}

/** What the builder is given: with a .dockerignore that takes everything away, only what it brings back. */
function copyContext(repository: string, context: string): void {
  const [everything, ...exceptions] = readFileSync(join(repository, '.dockerignore'), 'utf8').trim().split('\n'); // prettier-ignore
  if (everything !== '*') throw new Error('the .dockerignore does not begin with *');
  for (const exception of exceptions) {
    if (!exception.startsWith('!')) throw new Error(`what ${exception} leaves out is not known here`);
    const name = exception.slice(1);
    cpSync(join(repository, name), join(context, name), { recursive: true });
  }
}

/** Of a folder, COPY takes what is in it; a file goes into a destination that is a folder. */
function copy(sources: readonly string[], destination: string, here: string): void {
  const target = resolve(here, destination);
  const isFolder = destination.endsWith('/') || sources.length > 1;
  for (const source of sources) {
    if (!existsSync(source)) throw new Error(`COPY: ${source} is not there`);
    const into = isFolder && statSync(source).isFile() ? join(target, basename(source)) : target;
    cpSync(source, into, { recursive: true, verbatimSymlinks: true });
  }
}

/** The Node of the base image is that of the tests; npm comes from this machine. */
export const NODE_FIRST = [dirname(process.execPath), process.env['PATH']].join(delimiter);

async function run(command: string, here: string): Promise<void> {
  const env = {
    ...process.env,
    PATH: NODE_FIRST,
    // What `npm ci` of the repository has fetched lies in npm's cache.
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
  };
  await runProgram({ command: 'sh', args: ['-ec', `cd "${here}"\n${command}`], timeoutMs: RUN_TIMEOUT_MS, env }); // prettier-ignore
}
