// Reads a user's Secret with nothing but that user's rights, as the user's script does.
import { Agent, request } from 'undici';
import type { Connection } from '../../../src/kubernetes/credentials.ts';
import type { RawSecret } from './secrets.ts';

const TIMEOUT_MS = 10_000;

export type ReadAsUser = (name: string) => Promise<RawSecret | 'Refused' | 'NotFound'>;

/**
 * An admin may act as anybody (the headers Impersonate-*), so that 500 users need no certificates.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
 */
export function readerAs({ server, tls }: Connection): { readonly read: ReadAsUser; close(): Promise<void> } {
  const agent = new Agent({
    allowH2: true,
    connections: 2,
    connect: tls,
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  return {
    async read(name) {
      const { statusCode, body } = await request(`${server}/api/v1/namespaces/${name}/secrets/access-token`, {
        dispatcher: agent,
        headers: { 'impersonate-user': name, 'impersonate-group': 'system:authenticated' },
      });
      const text = await body.text();
      if (statusCode === 200) return JSON.parse(text) as RawSecret;
      if (statusCode === 403) return 'Refused';
      if (statusCode === 404) return 'NotFound';
      throw new Error(`reading as ${name}: ${statusCode}`);
    },
    close: () => agent.destroy(),
  };
}
