// Compares resourceVersions, by which the API server orders everything that happens to one resource.

/** They are ordered within a resource (KEP-5504): decimal numbers, etcd's revisions, far below 2^53. */
export function isNewer(a: string, b: string): boolean {
  return Number(a) > Number(b);
}
