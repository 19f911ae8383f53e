// The server's TLS, and what every answer of it has, over real connections.
import { writeFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { waitUntil } from '../../dev/wait-until.ts';
import { TestServers } from './running-server.ts';

const servers = new TestServers();
beforeEach(() => servers.install('first'));
afterEach(() => servers.stop());
afterAll(() => servers.remove());

/** OpenSSL at its own defaults would not even offer TLS 1.1. */
const oldTls: ConnectionOptions = {
  minVersion: 'TLSv1.1',
  maxVersion: 'TLSv1.1',
  ciphers: 'DEFAULT@SECLEVEL=0',
};

describe('the HTTPS server', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s', async (version) => {
    const { port } = await servers.start();
    const socket = await servers.handshake(port, { minVersion: version, maxVersion: version });
    expect(socket.getProtocol()).toBe(version);
    socket.destroy();
  });

  test('refuses TLS 1.1, also after it took a new certificate', async () => {
    const { port } = await servers.start();
    await expect(servers.handshake(port, oldTls)).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    });
    await servers.install('second');
    await waitUntil('the new certificate', 60_000, async () => (await subject(port)) === 'second');
    await expect(servers.handshake(port, oldTls)).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    });
  });

  test('speaks HTTP/1.1 to those who would rather have 2', async () => {
    const { port } = await servers.start();
    const socket = await servers.handshake(port, { ALPNProtocols: ['h2', 'http/1.1'] });
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.destroy();
  });

  test('keeps the old certificate when the new one is broken', async () => {
    const { port } = await servers.start();
    writeFileSync(servers.certificateFile, 'broken');
    await waitUntil('a line about it', 60_000, () =>
      servers.lines.some((line) => line.includes('stays in use')),
    );
    expect(await subject(port)).toBe('first');
  });

  test('refuses a route with a JSON schema, which nothing would check', async () => {
    const schema = { body: { type: 'object', required: ['name'] } };
    const route = (app: FastifyInstance) => void app.post('/schema', { schema }, async () => 'checked');
    await expect(servers.start({}, route)).rejects.toThrow('a route has a JSON schema');
  });

  test('does not start with a certificate that cannot be used', async () => {
    writeFileSync(servers.keyFile, 'broken');
    await expect(servers.start()).rejects.toMatchObject({ code: 'CertificateInvalid' });
  });

  test('gives every answer the headers that keep it from being run, framed, sniffed or cached', async () => {
    const { server } = await servers.start();
    for (const url of ['/', '/nothing', '/%']) {
      const { headers } = await server.app.inject(url);
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
      });
    }
  });
});

async function subject(port: number): Promise<string | undefined> {
  const socket = await servers.handshake(port);
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return [CN].flat()[0];
}
