// What every replica keeps of the Secret of the licence: its text, and since when it has been there.
import { LICENSE_KEY, LICENSE_SECRET } from '../../domain/license-texts.ts';
import type { RawObject, Resource } from '../../kubernetes/resource.ts';
import type { Stored } from '../../kubernetes/store.ts';

export interface CachedLicense extends Stored {
  /** In base64; undefined where the Secret has no such key. */
  readonly data: string | undefined;
  readonly writtenAt: Date | undefined;
}

interface RawLicense extends RawObject {
  readonly data?: Readonly<Record<string, string>>;
}

interface ManagedFields {
  readonly time?: string;
  readonly fieldsV1?: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;
}

export function licenseResource(namespace: string): Resource<CachedLicense> {
  return {
    name: 'license',
    path: `/api/v1/namespaces/${namespace}/secrets`,
    fieldSelector: `metadata.name=${LICENSE_SECRET}`,
    view: licenseView,
  };
}

export function licenseView(object: RawObject): CachedLicense {
  const { data, metadata } = object as RawLicense;
  const { name, namespace = '', uid, resourceVersion } = metadata;
  return {
    name,
    namespace,
    uid,
    resourceVersion,
    data: data?.[LICENSE_KEY],
    writtenAt: writtenAt((metadata as { managedFields?: readonly ManagedFields[] }).managedFields ?? []),
  };
}

/**
 * When somebody last wrote the value: an entry's time moves when its manager changes a field that it owns. A label
 * that another manager sets has an entry of its own. Whoever applies `stringData` on the server's side owns that.
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
function writtenAt(entries: readonly ManagedFields[]): Date | undefined {
  const times = entries
    .filter(({ fieldsV1 }) =>
      ['f:data', 'f:stringData'].some((field) => fieldsV1?.[field]?.[`f:${LICENSE_KEY}`] !== undefined),
    )
    .map(({ time = '' }) => Date.parse(time));
  const latest = Math.max(...times);
  return Number.isFinite(latest) ? new Date(latest) : undefined;
}
