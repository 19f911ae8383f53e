// Lets jose fetch from a server whose certificate is of a test CA.
import { customFetch, type FetchImplementation, type RemoteJWKSetOptions } from 'jose';
import { readFileSync } from 'node:fs';
import { Agent, fetch } from 'undici';

/** Options for `createRemoteJWKSet`. */
export function agentFetch(caFile: string): RemoteJWKSetOptions {
  const dispatcher = new Agent({ connect: { ca: readFileSync(caFile) } });
  const viaAgent = (url: string, options: object) => fetch(url, { ...options, dispatcher });
  // The two fetches differ only in whose types they carry: undici's package, and the copy inside Node.
  return { [customFetch]: viaAgent as unknown as FetchImplementation };
}
