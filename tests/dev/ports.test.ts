// Two servers that are given one port: the second does not start, once in a few dozen test runs.
import { expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../../dev/ports.ts';

// Of 12,000; picked without a claim, two of so many are alike (all but surely).
const MANY = 500;

test('a port is given once, here and to another process, though nobody listens there yet', async () => {
  const script = `
    import { freePort } from './dev/ports.ts';
    const ports = [];
    while (ports.length < ${MANY}) ports.push(await freePort());
    console.log(JSON.stringify(ports));
    process.stdin.resume().once('end', () => process.exit());
  `;
  const other = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(other.stdout, 'data');
    const ports: number[] = JSON.parse(String(line));
    while (ports.length < 2 * MANY) ports.push(await freePort());
    expect(new Set(ports).size).toBe(2 * MANY);
  } finally {
    other.stdin.end();
    await once(other, 'exit');
  }
});
