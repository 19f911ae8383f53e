// Opens a connection to a directory on which a password may be sent: TLS, verified, or none at all.
import { once } from 'node:events';
import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { ExtendedRequest, ProtocolOperation } from 'ldapts';
import { FaultyAnswer } from '../fault.ts';
import { exchange, resultOf } from './exchange.ts';

/** RFC 4511, section 4.14. */
const START_TLS = '1.3.6.1.4.1.1466.20037';

export interface Endpoint {
  /** A name, or an address without brackets; the certificate must bear it. */
  readonly host: string;
  readonly port: number;
  /** TLS after a StartTLS request; otherwise from the first byte. */
  readonly startTls: boolean;
  /** The authorities to trust in place of the system's. */
  readonly caPem?: string;
}

/** The directory refuses StartTLS: nothing has been said to it but the request. */
export class StartTlsRefused extends FaultyAnswer {
  constructor(resultCode: number) {
    super('StartTlsRefused', `it refuses StartTLS (LDAP result ${resultCode})`);
    this.name = 'StartTlsRefused';
  }
}

/**
 * Connects. The socket is destroyed when `signal` aborts; that is its only time-out.
 * @throws {Error} without a connection, or without TLS whose certificate names this host and is of a trusted authority
 */
export async function connect(endpoint: Endpoint, signal: AbortSignal): Promise<TLSSocket> {
  const { host, port, startTls, caPem } = endpoint;
  const plain = guarded(connectTcp({ host, port, noDelay: true }), signal);
  try {
    await once(plain, 'connect');
    if (startTls) await askForTls(plain);
    const secure = guarded(
      connectTls({
        socket: plain,
        host,
        // Server names are never addresses (RFC 6066, section 3).
        ...(isIP(host) === 0 && { servername: host }),
        ...(caPem !== undefined && { ca: caPem }),
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2',
      }),
      signal,
    );
    await once(secure, 'secureConnect');
    return secure;
  } catch (error) {
    plain.destroy();
    throw error;
  }
}

// The answer must be the last byte in clear text: `exchange` refuses any more, so that nobody in the middle can
// place words of their own before those of the directory.
async function askForTls(socket: Socket): Promise<void> {
  const request = new ExtendedRequest({ messageId: 1, oid: START_TLS });
  const [answer] = await exchange(socket, request, ProtocolOperation.LDAP_RES_EXTENSION);
  const resultCode = answer ? resultOf(answer.operation).resultCode : undefined;
  if (resultCode !== 0) throw new StartTlsRefused(resultCode ?? -1);
}

function guarded<T extends Socket>(socket: T, signal: AbortSignal): T {
  // Whoever reads next is told; without a listener an error in between would end the process.
  socket.on('error', () => undefined);
  return addAbortSignal(signal, socket);
}
