// The route of an endpoint, as fastify wants it, from the endpoint's URL.

/** A colon begins a parameter in a route of fastify, unless it is doubled. */
export function pathOf(url: string): string {
  return new URL(url).pathname.replaceAll(':', '::');
}
