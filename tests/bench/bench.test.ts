// The bench in its short form: that it runs to its end and finds every token replaced. It says nothing about speed.
import { afterAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../../dev/temporary-folder.ts';

const run = promisify(execFile);
const MAIN = join(import.meta.dirname, '../../bench/main.ts');
/** The Go programs may have to be built first. */
const BENCH_TIMEOUT_MS = 15 * 60_000;

const PARTS = ['directory', 'memory', 'refresh', 'requests', 'restart', 'revocation', 'sign-in'];
/** Every cause is measured for every verifier. */
const CAUSES = ['a change in LDAP', 'spec.disabled', 'the policy switch'];

const folder = temporaryFolder('latchkey-bench');
afterAll(() => folder.remove());

test(
  'the bench runs to its end, and its tables and measurements are there',
  async () => {
    const output = join(folder.path, 'results.json');
    const { stdout } = await run(process.execPath, [MAIN, '--short', `--output=${output}`], {
      timeout: BENCH_TIMEOUT_MS,
    });
    const { scale, parts } = JSON.parse(readFileSync(output, 'utf8'));
    expect(Object.keys(parts).toSorted()).toEqual(PARTS);
    expect(parts.requests).toEqual([expect.objectContaining({ rewritten: scale.many })]);
    expect(parts.restart).toEqual([expect.objectContaining({ rewritten: scale.most })]);
    expect(parts.memory.map(({ users }: { users: number }) => users)).toEqual([scale.few, scale.most]);
    expect(parts['sign-in'][0].togetherMs).toHaveLength(scale.signIns.together);
    const [{ alone, together }] = parts.directory;
    expect(alone).toHaveLength(scale.directoryChanges);
    expect(together).toHaveLength(scale.directoryChanges);
    const [{ rate, refusedAfterMs, switched }] = parts.revocation;
    expect(rate.reviews.perSecond).toBeGreaterThan(0);
    for (const verifier of [
      'TokenReview',
      'introspection',
      'kube-apiserver, cache 0s',
      'kube-apiserver, tokenSource: Kubernetes',
    ])
      expect({ verifier, causes: Object.keys(refusedAfterMs[verifier]).toSorted() }).toEqual({
        verifier,
        causes: CAUSES.toSorted(),
      });
    expect(switched.TokenReview.acceptedAfterSecond).toEqual(expect.any(Number));
    for (const contender of ['ceiling', 'Latchkey', 'controller-runtime'])
      expect(stdout).toMatch(new RegExp(`^\\| ${contender} +\\| [0-9]+ `, 'm'));
  },
  BENCH_TIMEOUT_MS,
);

test('a part that is not there is named, with those that are', async () => {
  await expect(run(process.execPath, [MAIN, 'speed'], { timeout: 30_000 })).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('There is no part speed. The parts are: memory, refresh'),
  });
});
