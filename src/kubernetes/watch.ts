// One watch request, from its first line to its end: events into a store, and why it ended.
import { LatchkeyError } from '../errors.ts';
import type { KubernetesClient } from './client.ts';
import { lines } from './lines.ts';
import { selection, type RawObject, type Resource } from './resource.ts';
import type { Store, Stored } from './store.ts';

type WatchLine =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: RawObject }
  | { readonly type: 'ERROR'; readonly object: { readonly code?: number; readonly reason?: string } };

/** `WatchExpired`: the resourceVersion is too old to go on from (410), so list again. */
export class WatchError extends LatchkeyError<'WatchExpired' | 'WatchBroken'> {}

/** Longer than any object that etcd takes (1.5 MiB) after JSON has escaped it. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** The headers of a watch come at once, whether or not there is anything to tell. */
const HEADERS_MS = 10_000;

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
      timeoutMs: Math.min(HEADERS_MS, stallMs / 2),
      query: {
        ...query,
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion: store.resourceVersion,
        timeoutSeconds,
      },
      signal: AbortSignal.any([signal, stall.signal]),
    });
    for await (const line of lines(chunks, MAX_LINE_BYTES)) {
      timer.refresh();
      take(parse(line), resource, store);
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
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      if (line.type !== 'DELETED' && store.has(line.object.metadata))
        store.bookmark(line.object.metadata.resourceVersion);
      else store.applyEvent(line.type, resource.view(line.object));
  }
}

function parse(line: string): WatchLine {
  try {
    return JSON.parse(line) as WatchLine;
  } catch {
    // The engine's own error would quote the line.
    throw new WatchError('WatchBroken', 'a line of the watch is not JSON');
  }
}
