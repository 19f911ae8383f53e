// What is watched: where it lives in the API, which part of it, and what is kept of an object.
import type { ObjectMeta } from '../api/metadata.ts';
import type { Stored } from './store.ts';

export interface RawObject {
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

export interface Resource<V extends Stored> {
  /** Names it in logs and metrics. */
  readonly name: string;
  /** For example /apis/latchkey.dev/v1alpha1/users */
  readonly path: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /** Asks for metadata only: what is never asked for cannot lie in memory. */
  readonly metadataOnly?: true;
  view(object: RawObject): V;
}

const partial = (kind: string) => `application/json;as=${kind};g=meta.k8s.io;v=v1`;

/** The Accept header for one object without its content, so that no token comes into memory. */
export const METADATA_ONLY = partial('PartialObjectMetadata');

/** The query and Accept header that select the resource's part, for a list and a watch alike. */
export function selection<V extends Stored>(resource: Resource<V>, kind: 'list' | 'watch') {
  const accept = kind === 'list' ? partial('PartialObjectMetadataList') : METADATA_ONLY;
  return {
    path: resource.path,
    query: { fieldSelector: resource.fieldSelector, labelSelector: resource.labelSelector },
    ...(resource.metadataOnly && { accept }),
  };
}
