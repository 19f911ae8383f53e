// Asks a control plane that is starting how far it is.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import type { Certificate } from '../certificates.ts';
import { systemCode } from '../errors.ts';

const REQUEST_TIMEOUT_MS = 2_000;
const NOT_YET = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** Whether every path is answered with 200; false also while nothing listens. */
export async function answersOk(
  url: string,
  caFile: string,
  admin: Certificate,
  paths: readonly string[],
): Promise<boolean> {
  const agent = new Agent({
    connect: {
      ca: readFileSync(caFile),
      cert: readFileSync(admin.certFile),
      key: readFileSync(admin.keyFile),
      timeout: REQUEST_TIMEOUT_MS,
    },
    headersTimeout: REQUEST_TIMEOUT_MS,
    bodyTimeout: REQUEST_TIMEOUT_MS,
  });
  try {
    for (const path of paths) {
      const { statusCode, body } = await request(`${url}${path}`, { dispatcher: agent });
      await body.dump();
      if (statusCode !== 200) return false;
    }
    return true;
  } catch (error) {
    if (isNotYet(error)) return false;
    throw error;
  } finally {
    await agent.destroy();
  }
}

// What a server that is starting or stopping answers; a certificate that does not verify is not among them.
function isNotYet(error: unknown): boolean {
  const code = systemCode(error);
  return code !== undefined && NOT_YET.has(code);
}
