// The certificate that the demo's portal shows, for a browser to trust: it keeps no authorities of its own.
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connect } from 'node:tls';

export interface Portal {
  /** Its address. */
  readonly portal: string;
  /** Signs its certificate. */
  readonly portalCA: string;
}

/** @returns the file that it is written to, beside that of the CA. @throws where another CA has signed it */
export async function portalCertificate({ portal, portalCA }: Portal): Promise<string> {
  const { hostname, port } = new URL(portal);
  const socket = connect({
    host: hostname,
    port: Number(port),
    servername: hostname,
    ca: readFileSync(portalCA),
  });
  await once(socket, 'secureConnect');
  const file = join(dirname(portalCA), 'portal.crt');
  writeFileSync(file, socket.getPeerX509Certificate()?.toString() ?? '');
  socket.destroy();
  return file;
}
