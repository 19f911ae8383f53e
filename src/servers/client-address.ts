// Finds the address that a request came from, when proxies may stand in between.
import { isIP, SocketAddress } from 'node:net';
import type { BlockList } from 'node:net';

/**
 * The rightmost address of the chain that no configured proxy has. `X-Forwarded-For` is believed only as far as
 * proxies wrote it: each one appends the peer that it saw, so everything left of the first untrusted address may be
 * invented. An entry that is no address (`unknown`, RFC 7239 section 6) ends the chain at the proxy that wrote it.
 * @param peer the socket's remote address
 * @param forwardedFor the header, as Node joins repeated ones
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | string[] | undefined,
  proxies: BlockList,
): string {
  const hops = [forwardedFor ?? []].flat().join(',').split(',');
  let client = plain(peer) ?? peer;
  while (isProxy(client, proxies)) {
    const next = plain(hops.pop()?.trim() ?? '');
    if (next === undefined) break;
    client = next;
  }
  return client;
}

function isProxy(address: string, proxies: BlockList): boolean {
  const version = isIP(address);
  return version !== 0 && proxies.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/** One spelling for each address: no port, no brackets, no IPv4 dressed as IPv6; undefined for anything else. */
function plain(text: string): string | undefined {
  const parsed = SocketAddress.parse(isIP(text) === 6 ? `[${text.replace(/%.*$/, '')}]` : text);
  return parsed?.address.replace(/^::ffff:(?=\d+\.)/, '');
}
