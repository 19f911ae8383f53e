// An admin at a shell, in a folder of their own, with latchkey, kubectl and helm at hand.
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findHelm } from '../../dev/helm/helm.ts';
import { runProgram } from '../../dev/run-program.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { cheapStarts } from '../support/cheap-starts.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TIMEOUT_MS = 100_000;

export interface AdminShell {
  /** Where they are; the charts lie in it as in a clone. */
  readonly folder: string;
  /** Runs it to its end. @returns what it prints. @throws where it fails */
  run(command: string): Promise<string>;
  remove(): void;
}

export async function adminShell(kubectl: string, kubeconfig: string): Promise<AdminShell> {
  const helm = await findHelm();
  const { path: folder, remove } = temporaryFolder('latchkey-admin');
  symlinkSync(join(ROOT, 'charts'), join(folder, 'charts'));
  const program = join(folder, 'latchkey');
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${ROOT}src/main.ts" "$@"\n`);
  chmodSync(program, 0o755);
  const env = {
    ...cheapStarts(),
    PATH: [folder, dirname(helm), dirname(kubectl), '/usr/bin', '/bin'].join(':'),
    HOME: folder,
    KUBECONFIG: kubeconfig,
    PASSWORD: 'correct horse battery staple',
  };
  return {
    folder,
    run: (command) =>
      runProgram({
        command: 'bash',
        args: ['-euc', `cd "${folder}"\n${command}`],
        input: `${env.PASSWORD}\n`,
        timeoutMs: TIMEOUT_MS,
        env,
      }),
    remove,
  };
}

/** What stands in a page between fences of that language. */
export function codeBlocks(page: string, language: string): string[] {
  return [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, block = '']) => block,
  );
}

/** A page of this repository. */
export const pageText = (page: string) => readFileSync(join(ROOT, page), 'utf8');
