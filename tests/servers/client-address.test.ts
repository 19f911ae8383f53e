// Only configured proxies are believed about where a request came from.
import { BlockList } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { clientAddress } from '../../src/servers/client-address.ts';

const proxies = new BlockList();
proxies.addSubnet('10.0.0.0', 8, 'ipv4');
proxies.addSubnet('fd00::', 8, 'ipv6');

describe('the address of a client', () => {
  test.each([
    ['is the peer, when nobody forwarded', '203.0.113.7', undefined, '203.0.113.7'],
    ['is the peer, when the peer is no configured proxy', '203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['is what a configured proxy saw', '10.0.0.1', '198.51.100.1', '198.51.100.1'],
    [
      'is the rightmost one that is no proxy',
      '10.0.0.1',
      '192.0.2.66, 198.51.100.1, 10.9.9.9',
      '198.51.100.1',
    ],
    ['is not what the client claims', '10.0.0.1', '10.1.1.1, 192.0.2.66, 198.51.100.1', '198.51.100.1'],
    ['is found in repeated headers', '10.0.0.1', ['192.0.2.66', '198.51.100.1'], '198.51.100.1'],
    ['is the leftmost when all are proxies', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['stays with the proxy that wrote no address', '10.0.0.1', '192.0.2.66, unknown', '10.0.0.1'],
    ['stays with the proxy that wrote nothing', '10.0.0.1', '192.0.2.66,', '10.0.0.1'],
    ['has no port', '10.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['may be of version 6', 'fd00::1', '2001:DB8:0::1', '2001:db8::1'],
    ['may be of version 6, with a port', 'fd00::1', '[2001:db8::1]:443', '2001:db8::1'],
    ['has no zone', '10.0.0.1', 'fe80::1%eth0', 'fe80::1'],
    [
      'of version 4 may arrive dressed as version 6',
      '::ffff:10.0.0.1',
      '::ffff:198.51.100.1',
      '198.51.100.1',
    ],
    ['of a dressed peer is plain as well', '::ffff:203.0.113.7', undefined, '203.0.113.7'],
  ])('%s', (_name, peer, forwardedFor, expected) => {
    expect(clientAddress(peer, forwardedFor, proxies)).toBe(expected);
  });
});
