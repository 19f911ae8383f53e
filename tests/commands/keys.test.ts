// The commands about signing keys, on a real API server.
import { afterAll, describe, expect, it } from '@jest/globals';
import { listKeys, rotateKeys, withdrawKeys } from '../../src/commands/keys.ts';
import { PUBLISH_FIRST_MS } from '../../src/issuer/keyring.ts';
import { adminClient, knows, newNamespace, startReplica } from '../controllers/signing-keys/replica.ts';
import { testCluster } from '../support/cluster.ts';

const cluster = await testCluster();
const client = await adminClient(cluster);
const namespace = await newNamespace(cluster);
const replica = await startReplica(cluster, namespace);
await replica.start();
afterAll(async () => {
  await replica.stop();
  await client.close();
});

const later = () => new Date(Date.now() + PUBLISH_FIRST_MS + 60_000);

async function printed(run: (command: Parameters<typeof listKeys>[0]) => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  await run({ client, namespace, out: (line) => void lines.push(line) });
  return lines;
}

const columns = (line: string | undefined) => line?.split(/ {2,}|(?<=Z) /);

describe('latchkey keys', () => {
  it('list prints kids and dates', async () => {
    const keyring = replica.keyring()!;
    const published = keyring.active.createdAt.toISOString();
    const from = new Date(keyring.next.createdAt.getTime() + PUBLISH_FIRST_MS).toISOString();
    expect((await printed(listKeys)).map(columns)).toEqual([
      ['STATE', 'KID', 'PUBLISHED', 'NOTE'],
      ['active', keyring.active.kid, published, 'signs every token'],
      ['next', keyring.next.kid, published, `may sign from ${from}`],
    ]);
  });

  it('rotate is refused until the next key was published for two hours, and says until when', async () => {
    const before = replica.keyring()!;
    const from = new Date(before.next.createdAt.getTime() + PUBLISH_FIRST_MS).toISOString();
    await expect(
      printed((command) => rotateKeys({ ...command, now: () => new Date() })),
    ).rejects.toMatchObject({
      code: 'RotationTooEarly',
      message: expect.stringContaining(from),
    });
    expect((await printed(listKeys)).join()).toContain(before.active.kid);
  });

  it('rotate lets the next key sign, prints the outcome, and the running replica follows', async () => {
    const before = replica.keyring()!;
    const lines = await printed((command) => rotateKeys({ ...command, now: later }));
    expect(columns(lines[1])?.slice(0, 2)).toEqual(['active', before.next.kid]);
    expect(columns(lines[3])?.slice(0, 2)).toEqual(['retired', before.active.kid]);
    expect(lines[3]).toMatch(/published until \S+Z$/);
    await knows(replica, 'the rotation', ({ active }) => active.kid === before.next.kid);
  });

  it('prints no private number', async () => {
    const secret = JSON.parse(
      await cluster.kubectl(['-n', namespace, 'get', 'secret', 'latchkey-signing-keys', '-o', 'json']),
    );
    const document = Buffer.from(secret.data['keyring.json'], 'base64').toString();
    const numbers = [...document.matchAll(/"d":"([\w-]{43})"/g)].map(([, number]) => String(number));
    expect(numbers).toHaveLength(2);
    const output = (await printed(listKeys)).join('\n');
    for (const number of numbers) expect(output).not.toContain(number);
  });

  it('withdrawn, even from a damaged Secret, are all replaced', async () => {
    const old = (await printed(listKeys)).slice(1).map((line) => String(columns(line)?.[1]));
    const patch = JSON.stringify({ stringData: { 'keyring.json': 'not a keyring' } });
    await cluster.kubectl(['-n', namespace, 'patch', 'secret', 'latchkey-signing-keys', '-p', patch]);
    await expect(printed(listKeys)).rejects.toMatchObject({ code: 'KeyringDamaged' });

    const lines = await printed((command) => withdrawKeys({ ...command, now: () => new Date() }));
    expect(lines).toHaveLength(3);
    for (const kid of old) expect(lines.join()).not.toContain(kid);
    await knows(replica, 'the new keys', ({ active }) => active.kid === columns(lines[1])?.[1]);
  });

  it('say which namespace they looked into where there are no keys', async () => {
    const command = { client, namespace: 'default', out: () => undefined };
    await expect(listKeys(command)).rejects.toMatchObject({
      code: 'KeysSecretMissing',
      message: expect.stringContaining('in the namespace default'),
    });
  });
});
