// Reads a whole resource as one consistent list, page by page, or just how far its history goes.
import type { KubernetesClient } from './client.ts';
import { selection, type RawObject, type Resource } from './resource.ts';
import type { Stored } from './store.ts';

const PAGE = 500;
const PAGE_TIMEOUT_MS = 30_000;

interface Page {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  /** null where a metadata-only list is empty. */
  readonly items: readonly RawObject[] | null;
}

export interface CompleteList<V> {
  readonly objects: readonly V[];
  /** What the list is complete up to. */
  readonly resourceVersion: string;
}

/** @throws {ApiError} 410 where the pages expired in between: then the whole has to be read again. */
export async function listAll<V extends Stored>(
  client: KubernetesClient,
  resource: Resource<V>,
  signal?: AbortSignal,
): Promise<CompleteList<V>> {
  const { query, ...rest } = selection(resource, 'list');
  const objects: V[] = [];
  let position: string | undefined;
  let resourceVersion: string;
  do {
    const page = await client.request<Page>({
      method: 'GET',
      ...rest,
      query: { ...query, limit: PAGE, continue: position },
      timeoutMs: PAGE_TIMEOUT_MS,
      ...(signal && { signal }),
    });
    for (const item of page.items ?? []) objects.push(resource.view(item));
    ({ resourceVersion } = page.metadata);
    position = page.metadata.continue === '' ? undefined : page.metadata.continue;
  } while (position !== undefined);
  return { objects, resourceVersion };
}

/** The resourceVersion of this moment: what a list that begins now is complete up to. */
export async function latestVersion<V extends Stored>(
  client: KubernetesClient,
  resource: Resource<V>,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<string> {
  const { query, ...rest } = selection(resource, 'list');
  const { metadata } = await client.request<Page>({
    method: 'GET',
    ...rest,
    query: { ...query, limit: 1 },
    timeoutMs,
    signal,
  });
  return metadata.resourceVersion;
}
