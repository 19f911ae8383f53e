// The newest known version of every object of one resource, complete up to a resourceVersion.
import { isNewer } from './resource-version.ts';

/** What a store needs to know of an object; a view keeps nothing else that is not used. */
export interface Stored {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

export type ChangeListener<V> = (before: V | undefined, after: V | undefined) => void;

export function keyOf({ namespace, name }: Pick<Stored, 'name' | 'namespace'>): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** Of what has the same name in every namespace: nothing has to be put together to look for it. */
export function namespaceOf({ namespace = '' }: Pick<Stored, 'namespace'>): string {
  return namespace;
}

/**
 * Everything up to `resourceVersion` has been taken in; single objects may be newer, because the answers to our own
 * writes are merged before the watch tells of them.
 */
export class Store<V extends Stored> {
  readonly #objects = new Map<string, V>();
  readonly #listeners: ChangeListener<V>[] = [];
  readonly #keyOf: (object: Stored) => string;
  #resourceVersion: string | undefined;
  #heardAt = performance.now();

  constructor(key: (object: Stored) => string = keyOf) {
    this.#keyOf = key;
  }

  /** Undefined until the first list is complete. */
  get resourceVersion(): string | undefined {
    return this.#resourceVersion;
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Milliseconds since a list or a watch told of anything, were it only a bookmark; at first since it was made. */
  get heardMs(): number {
    return performance.now() - this.#heardAt;
  }

  get(key: string): V | undefined {
    return this.#objects.get(key);
  }

  values(): IterableIterator<V> {
    return this.#objects.values();
  }

  /** Listeners run in order, at once, and must not throw; they index and enqueue. */
  onChange(listener: ChangeListener<V>): void {
    this.#listeners.push(listener);
  }

  /**
   * Takes in a complete list: what is not on it is gone, unless it was written after the list was made.
   * @param askedAt `resourceVersion` of this store when the list was asked for. A list that ends before it means that
   * etcd was restored from a backup: then the list is all there is. One that another stream has overtaken since says
   * nothing new.
   */
  replace(objects: readonly V[], resourceVersion: string, askedAt = this.#resourceVersion): void {
    this.#heardAt = performance.now();
    const rewound = askedAt !== undefined && isNewer(askedAt, resourceVersion);
    if (!rewound && this.#resourceVersion !== undefined && isNewer(this.#resourceVersion, resourceVersion))
      return;
    const listed = new Set<string>();
    for (const object of objects) {
      listed.add(this.#keyOf(object));
      this.#put(object, rewound);
    }
    for (const [key, object] of this.#objects) {
      if (!listed.has(key) && (rewound || !isNewer(object.resourceVersion, resourceVersion)))
        this.#remove(key);
    }
    this.#resourceVersion = resourceVersion;
  }

  /** Takes in an event of a watch. Events that another stream has told already are passed over. */
  applyEvent(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: V): void {
    this.#heardAt = performance.now();
    if (this.#resourceVersion !== undefined && !isNewer(object.resourceVersion, this.#resourceVersion))
      return;
    if (type !== 'DELETED') this.#put(object);
    else if (!isNewer(this.get(this.#keyOf(object))?.resourceVersion ?? '0', object.resourceVersion))
      this.#remove(this.#keyOf(object));
    this.#advance(object.resourceVersion);
  }

  /** A bookmark: nothing has happened up to `resourceVersion` that was not told. */
  bookmark(resourceVersion: string): void {
    this.#heardAt = performance.now();
    this.#advance(resourceVersion);
  }

  /** Merges the answer to a write or a live GET; one that the watch has overtaken is old news. */
  merge(object: V): void {
    if (this.#resourceVersion === undefined || isNewer(object.resourceVersion, this.#resourceVersion))
      this.#put(object);
  }

  /** Takes in the answer to a DELETE: this one is gone, and not another one that may have its name by now. */
  remove(object: V): void {
    const key = this.#keyOf(object);
    if (this.get(key)?.uid === object.uid) this.#remove(key);
  }

  /** Whether it has exactly this version already, as the answer to our own write has told of it. */
  has(object: Stored): boolean {
    const known = this.get(this.#keyOf(object));
    return known?.uid === object.uid && known.resourceVersion === object.resourceVersion;
  }

  /** Whether everything up to `resourceVersion` has been taken in. */
  hasReached(resourceVersion: string): boolean {
    return this.#resourceVersion !== undefined && !isNewer(resourceVersion, this.#resourceVersion);
  }

  #put(after: V, evenIfOlder = false): void {
    const key = this.#keyOf(after);
    const before = this.#objects.get(key);
    if (before && !evenIfOlder && !isNewer(after.resourceVersion, before.resourceVersion)) return;
    this.#objects.set(key, after);
    for (const listener of this.#listeners) listener(before, after);
  }

  #remove(key: string): void {
    const before = this.#objects.get(key);
    if (!before) return;
    this.#objects.delete(key);
    for (const listener of this.#listeners) listener(before, undefined);
  }

  #advance(resourceVersion: string): void {
    if (this.#resourceVersion === undefined || isNewer(resourceVersion, this.#resourceVersion))
      this.#resourceVersion = resourceVersion;
  }
}
