// Follows one key of one Secret of Latchkey's own namespace: its value at once, and again whenever it changes.
import type { KubernetesClient } from './client.ts';
import { secretsPath, type SecretObject } from './kept-secret.ts';
import { reflect, type ReflectorOptions } from './reflector.ts';
import type { RawObject, Resource } from './resource.ts';
import { keyOf, Store, type Stored } from './store.ts';

export interface SecretToFollow<T> {
  /** Names it in logs and metrics. */
  readonly as: string;
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  /** What is kept of it, so that no more lies in memory than is used; undefined where there is none. */
  read(text: string | undefined): T;
}

export interface FollowedSecret {
  /** Milliseconds since the API server said anything of it, were it only that nothing has changed; at first since it is followed. */
  heardMs(): number;
  /** Resolves when `signal` has ended it; never rejects. */
  readonly done: Promise<void>;
}

interface CachedValue<T> extends Stored {
  readonly value: T;
}

/** @param told with the first value, too; where there is none, with what `read` makes of undefined */
export function followSecret<T>(
  client: KubernetesClient,
  { as, namespace, name, key, read }: SecretToFollow<T>,
  told: (value: T) => void,
  options: ReflectorOptions,
): FollowedSecret {
  const resource: Resource<CachedValue<T>> = {
    name: as,
    path: secretsPath(namespace),
    fieldSelector: `metadata.name=${name}`,
    view({ metadata: { uid, resourceVersion }, ...content }: RawObject) {
      const data = (content as Pick<SecretObject, 'data'>).data?.[key];
      const value = read(data === undefined ? undefined : Buffer.from(data, 'base64').toString('utf8'));
      return { name, namespace, uid, resourceVersion, value };
    },
  };
  const store = new Store<CachedValue<T>>();
  store.onChange((_, after) => told(after ? after.value : read(undefined)));
  const { synced, done } = reflect(client, resource, store, options);
  void sayIfThereIsNone();
  return { heardMs: () => store.heardMs, done };

  async function sayIfThereIsNone(): Promise<void> {
    await synced;
    if (!store.get(keyOf({ name, namespace }))) told(read(undefined));
  }
}
