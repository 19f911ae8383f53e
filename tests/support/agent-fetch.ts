// Lets jose fetch from a server whose certificate is of a test CA.
import { customFetch, type RemoteJWKSetOptions } from 'jose';
import { readFileSync } from 'node:fs';
import { Agent, fetch } from 'undici';

/** Options for `createRemoteJWKSet`. */
export function agentFetch(caFile: string): RemoteJWKSetOptions {
  const dispatcher = new Agent({ connect: { ca: readFileSync(caFile) } });
  return {
    [customFetch]: async (url) => {
      // Node's own Response in place of undici's: jose is typed against that one.
      const answer = await fetch(url, { dispatcher, redirect: 'manual' });
      return new Response(await answer.text(), { status: answer.status });
    },
  };
}
