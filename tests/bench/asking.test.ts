// What the bench asks an API server: a connection that ends says nothing of a token, which a fake shows on command.
import { afterAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createAuthority } from '../../dev/certificates.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { askApiServer } from '../../bench/asking.ts';

const folder = temporaryFolder('latchkey-asking');
const authority = await createAuthority(join(folder.path, 'ca'), 'Latchkey test CA');
const { certFile, keyFile } = await authority.issue({
  name: 'api',
  commonName: 'api',
  hosts: ['localhost', '127.0.0.1'],
});
const versions = new Set<string>();
let requests = 0;
const server = createSecureServer(
  { cert: readFileSync(certFile), key: readFileSync(keyFile), allowHTTP1: true },
  (request, answer) => {
    versions.add(request.httpVersion);
    requests += 1;
    // Every third connection ends without an answer.
    if (requests % 3 === 0) request.socket.destroy();
    else if (request.headers.authorization === 'Bearer good')
      answer.writeHead(201).end('{"status":{"userInfo":{"username":"ada","groups":[]}}}');
    else answer.writeHead(401).end('{}');
  },
);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { ask, close } = askApiServer({
  url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
  caFile: authority.certFile,
});
afterAll(async () => {
  await close();
  server.close();
  folder.remove();
});

test('it is asked again where the connection ends, and each has one of its own', async () => {
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, n) => ask(n % 2 === 0 ? 'good' : 'revoked')),
  );
  expect(answers).toEqual(Array.from({ length: 30 }, (_, n) => n % 2 === 0));
  expect(requests).toBeGreaterThan(30);
  expect([...versions]).toEqual(['1.1']);
});
