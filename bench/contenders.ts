// Those who are measured: each is started warm, told that every token is due, and stopped.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { equalAccount } from './equal-account.ts';
import { passLimitMs, type Arena } from './arena.ts';

export interface Running {
  readonly pid: number;
  /** From then on every token is due, and is written once. */
  makeAllDue(): Promise<void>;
  stop(): Promise<void>;
}

export interface Contender {
  readonly name: string;
  /** Returns when it has written every token once, so that nothing is cold. */
  start(): Promise<Running>;
}

export function latchkey(arena: Arena, nodeFlags: readonly string[] = []): Contender {
  return {
    name: 'Latchkey',
    async start() {
      const operator = await arena.startOperator({ nodeFlags });
      return {
        pid: operator.pid,
        makeAllDue: () => arena.makeAllDue(),
        async stop() {
          await operator.stop();
          operator.remove();
        },
      };
    },
  };
}

/** @param folder of `builtContenders` */
export function controllerRuntime(arena: Arena, folder: string): Contender {
  return {
    name: 'controller-runtime',
    async start() {
      const kubeconfig = await equalAccount(arena.cluster, 'bench-operator');
      const pass = passOverAll(arena);
      const program = startProgram(join(folder, 'operator'), kubeconfig);
      await pass.done;
      let audience = 0;
      return {
        ...program,
        makeAllDue() {
          audience += 1;
          program.write(`bench-${audience}`);
          return Promise.resolve();
        },
      };
    },
  };
}

/** @param folder of `builtContenders` */
export function ceiling(arena: Arena, folder: string): Contender {
  return {
    name: 'ceiling',
    async start() {
      const kubeconfig = await equalAccount(arena.cluster, 'bench-ceiling');
      const program = startProgram(join(folder, 'ceiling'), kubeconfig);
      await program.untilLine('ready');
      const pass = passOverAll(arena);
      program.write('go');
      await pass.done;
      return {
        ...program,
        makeAllDue() {
          program.write('go');
          return Promise.resolve();
        },
      };
    },
  };
}

export const passOverAll = (arena: Arena) => arena.tokens.pass(arena.users(), passLimitMs(arena.users()));

/** It reads what it is told on its standard input, and ends when that ends: with this process at the latest. */
function startProgram(command: string, kubeconfig: string) {
  const log = openSync(`${kubeconfig}.log`, 'a');
  const child = spawn(command, [`--kubeconfig=${kubeconfig}`], { stdio: ['pipe', 'pipe', log] });
  closeSync(log);
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new TypeError('pipes were asked for');
  const lines = createInterface({ input: stdout });
  const ended = once(child, 'exit');
  return {
    pid: child.pid ?? 0,
    write: (line: string) => void stdin.write(`${line}\n`),
    async untilLine(expected: string): Promise<void> {
      const [line] = (await Promise.race([once(lines, 'line'), ended])) as [unknown];
      if (line !== expected) throw new Error(`${command} said ${String(line)} in place of ${expected}`);
    },
    async stop(): Promise<void> {
      stdin.end();
      await ended;
    },
  };
}
