// One watch request, from its first line to its end: events into a store, and why it ended.
import { LatchkeyError } from '../errors.ts';
import type { KubernetesClient } from './client.ts';
import { selection, type RawObject, type Resource } from './resource.ts';
import type { Store, Stored } from './store.ts';

type WatchLine =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: RawObject }
  | { readonly type: 'ERROR'; readonly object: { readonly code?: number; readonly reason?: string } };

/** `WatchExpired`: the resourceVersion is too old to go on from (410), so list again. */
export class WatchError extends LatchkeyError<'WatchExpired' | 'WatchBroken'> {}

/** Longer than any object that etcd takes (1.5 MiB) after JSON has escaped it. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

export interface WatchOptions {
  readonly timeoutSeconds: number;
  /** Ends the watch when nothing arrives for so long; a bookmark comes about once a minute. */
  readonly stallMs: number;
  readonly signal: AbortSignal;
  /** Called after every line; true ends the watch. */
  readonly onProgress?: () => boolean;
}

/**
 * Follows a resource from where its store stands. Returns when the server ends the watch in good order.
 * @throws {WatchError} when it breaks; what arrived until then is in the store.
 */
export async function watch<V extends Stored>(
  client: KubernetesClient,
  resource: Resource<V>,
  store: Store<V>,
  { timeoutSeconds, stallMs, signal, onProgress }: WatchOptions,
): Promise<void> {
  const stall = new AbortController();
  const { query, ...rest } = selection(resource, 'watch');
  const timer = setTimeout(() => stall.abort(new WatchError('WatchBroken', 'the watch stalled')), stallMs);
  try {
    const chunks = await client.stream({
      method: 'GET',
      ...rest,
      query: {
        ...query,
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion: store.resourceVersion,
        timeoutSeconds,
      },
      signal: AbortSignal.any([signal, stall.signal]),
    });
    for await (const line of lines(chunks)) {
      timer.refresh();
      take(JSON.parse(line) as WatchLine, resource, store);
      if (onProgress?.()) return;
    }
  } catch (error) {
    if (stall.signal.aborted && !signal.aborted) throw stall.signal.reason;
    throw error;
  } finally {
    clearTimeout(timer);
    stall.abort();
  }
}

function take<V extends Stored>(line: WatchLine, resource: Resource<V>, store: Store<V>): void {
  switch (line.type) {
    case 'BOOKMARK':
      store.bookmark(line.object.metadata.resourceVersion);
      return;
    case 'ERROR':
      throw line.object.code === 410
        ? new WatchError('WatchExpired', 'the resourceVersion has expired')
        : new WatchError(
            'WatchBroken',
            `the API server ended the watch: ${line.object.reason ?? 'no reason'}`,
          );
    default:
      store.applyEvent(line.type, resource.view(line.object));
  }
}

/** Splits a stream of UTF-8 into lines; half a line at the end is not a line. */
async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', start)) {
      if (end > start) yield rest.slice(start, end);
      start = end + 1;
    }
    rest = rest.slice(start);
    if (rest.length > MAX_LINE_BYTES) throw new WatchError('WatchBroken', 'a line of the watch is too long');
  }
}
