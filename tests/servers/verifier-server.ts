// The endpoints that answer questions about tokens, on a real HTTPS server, over verdicts that a test chooses.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { Agent, request } from 'undici';
import { createAuthority } from '../../dev/certificates.ts';
import { freePort } from '../../dev/ports.ts';
import { temporaryFolder } from '../../dev/temporary-folder.ts';
import { certificateFromFiles } from '../../src/servers/certificate.ts';
import { createHttpsServer, httpsLimits, type HttpsLimits } from '../../src/servers/https.ts';
import { introspection } from '../../src/servers/introspection/routes.ts';
import { revocation } from '../../src/servers/revocation/routes.ts';
import { tokenReview } from '../../src/servers/token-review/routes.ts';
import type { CallerCredentials, CallerVerdict } from '../../src/verification/callers/callers.ts';
import type { Verdict } from '../../src/verification/verification.ts';
import { ADA } from '../issuer/samples.ts';

export const CALLER = { name: 'api', token: 'lkc_the-token-of-the-caller' };
export const BEARER = { authorization: `Bearer ${CALLER.token}` };
export const basic = (name: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`,
});
export const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
export const JSON_TYPE = { 'content-type': 'application/json' };

export const ACCEPTED: Verdict = {
  outcome: 'Accepted',
  identity: ADA,
  claims: {
    sub: ADA.sub,
    sid: ADA.sid,
    aud: ADA.aud,
    preferred_username: 'as-it-was',
    'latchkey.dev/namespace': 'ada',
    jti: 'number',
    exp: 1_800,
    iat: 0,
    nbf: -5,
  },
};

/** Both ends of some hundred connections at once are one process, which shakes hands one by one. */
const BUSY_MS = 60_000;
const BUSY = { handshakeTimeoutMs: BUSY_MS, headersTimeoutMs: BUSY_MS, requestTimeoutMs: BUSY_MS };

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface VerifierServer {
  readonly port: number;
  readonly ca: string;
  readonly issuerUrl: string;
  /** What the next questions are answered with, and what has been asked. */
  readonly script: {
    verify: (token: string) => Promise<Verdict>;
    end: (token: string) => Promise<boolean>;
    authenticate: (credentials: CallerCredentials) => CallerVerdict;
    asked: string[];
  };
  readonly logged: readonly string[];
  post(
    path: string,
    headers: Readonly<Record<string, string | string[]>>,
    body: string | Buffer,
  ): Promise<Answer>;
  close(): Promise<void>;
}

export async function startVerifierServer(limits: Partial<HttpsLimits> = {}): Promise<VerifierServer> {
  const folder = temporaryFolder('latchkey-verifier');
  const authority = await createAuthority(join(folder.path, 'ca'), 'Latchkey test CA');
  const { certFile, keyFile } = await authority.issue({
    name: 'verifier',
    commonName: 'verifier',
    hosts: ['localhost'],
  });
  const port = await freePort();
  const issuerUrl = `https://localhost:${port}/identity`;
  const logged: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) });
  const certificate = await certificateFromFiles({ certificateFile: certFile, keyFile }, log);
  const server = createHttpsServer({ host: '127.0.0.1', port, certificate }, log, {
    ...httpsLimits,
    ...BUSY,
    ...limits,
  });
  const script: VerifierServer['script'] = {
    authenticate: ({ name = CALLER.name, token }) =>
      name === CALLER.name && token === CALLER.token
        ? { outcome: 'Known', name: CALLER.name }
        : { outcome: 'Stranger' },
    verify: async () => ACCEPTED,
    end: async () => true,
    asked: [],
  };
  const options = {
    issuerUrl,
    authenticate: async (credentials: CallerCredentials) => script.authenticate(credentials),
    verification: {
      verify(token: string) {
        script.asked.push(token);
        return script.verify(token);
      },
    },
  };
  await server.app.register(tokenReview, {
    ...options,
    namePrefix: 'latchkey:',
    apiServerAudience: 'kubernetes',
  });
  await server.app.register(introspection, options);
  await server.app.register(revocation, { issuerUrl, endSessionOf: (token) => script.end(token) });
  await server.listen();
  const ca = readFileSync(authority.certFile, 'utf8');
  const dispatcher = new Agent({ connect: { ca, timeout: BUSY_MS } });
  return {
    port,
    ca,
    issuerUrl,
    script,
    logged,
    async post(path, headers, body) {
      const answer = await request(issuerUrl + path, { dispatcher, method: 'POST', headers, body });
      return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
    },
    async close() {
      await dispatcher.close();
      await server.close();
      folder.remove();
    },
  };
}
