// The Secrets as the prober reads them: one as a reading, and a watch that misses no version while it lasts.
import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import type { Reading } from './judge.ts';

export interface RawSecret {
  readonly metadata: { readonly namespace: string; readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>>;
}

export function readingOf(
  { metadata, data = {} }: RawSecret,
  when: Pick<Reading, 'sent' | 'received' | 'by'>,
): Reading {
  const value = data['AUTH_TOKEN'];
  return {
    namespace: metadata.namespace,
    version: Number(metadata.resourceVersion),
    token: value === undefined ? undefined : Buffer.from(value, 'base64').toString(),
    keys: Object.keys(data).toSorted(),
    ...when,
  };
}

const SECRETS = { path: '/api/v1/secrets', query: { fieldSelector: 'metadata.name=access-token' } } as const;
const PAUSE_MS = 200;

/** Tells of every version; begins anew from now where it breaks, as it does when the API server goes. */
export async function followSecrets(
  client: KubernetesClient,
  signal: AbortSignal,
  take: (reading: Reading) => void,
): Promise<void> {
  let version = '';
  while (!signal.aborted) {
    try {
      const { path, query } = SECRETS;
      if (version === '') {
        const list = await client.request<{ metadata: { resourceVersion: string } }>({
          method: 'GET',
          path,
          query: { ...query, limit: 1 },
          signal,
        });
        version = list.metadata.resourceVersion;
      }
      const stream = await client.stream({
        method: 'GET',
        path,
        query: { ...query, watch: true, resourceVersion: version },
        signal,
      });
      for await (const line of linesOf(stream)) {
        const event = JSON.parse(line) as { type: string; object: RawSecret };
        if (event.type === 'ERROR') throw new Error('the watch has ended');
        version = event.object.metadata.resourceVersion;
        const now = Date.now();
        if (event.type !== 'DELETED')
          take(readingOf(event.object, { sent: now, received: now, by: 'Watch' }));
      }
    } catch {
      version = '';
    }
    // One that ends at once, in good order or not, must not become a busy loop.
    await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Not the operator's own (src/kubernetes/lines.ts): what checks it should not share its faults. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part !== '') yield part;
  }
}
