// The faults that stand between an operator and the API server, and how they are spelt on the wire.

export interface ProxiedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The last resource in the path, such as secrets. */
  readonly resource: string;
  readonly isWatch: boolean;
}

export type RequestFault =
  /** Answered in place of the API server, which hears nothing of it. */
  | { readonly do: 'Refuse'; readonly status: number; readonly retryAfterSeconds?: number }
  /** The API server does it, and its answer never arrives. */
  | { readonly do: 'LoseAnswer' }
  /** The connection goes, with everything that is on it. */
  | { readonly do: 'BreakConnection' };

export type LineFault =
  /** The watch ends in the middle of this line. */
  | { readonly do: 'HalfLine' }
  /** In place of this line comes an event that the resourceVersion is too old, and the watch ends. */
  | { readonly do: 'Expire' };

export type FaultName = `Refuse ${number}` | 'LoseAnswer' | 'BreakConnection' | 'HalfLine' | 'Expire';

export function nameOf(fault: RequestFault | LineFault): FaultName {
  return fault.do === 'Refuse' ? `Refuse ${fault.status}` : fault.do;
}

const REASONS: Readonly<Record<number, string>> = {
  409: 'Conflict',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
};

/** metav1.Status, as the API server itself says it. */
export function statusBody(code: number): string {
  return JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'injected by the fault proxy',
    reason: REASONS[code] ?? 'Unknown',
    code,
  });
}

export const EXPIRED_EVENT = `{"type":"ERROR","object":${statusBody(410)}}\n`;

export function proxied(method: string, path: string, query: URLSearchParams): ProxiedRequest {
  const parts = path.split('/').filter((part) => part !== '');
  return { method, path, query, resource: resourceOf(parts), isWatch: query.get('watch') === 'true' };
}

/** `/api/v1/namespaces/ada/secrets/access-token`, `/apis/latchkey.dev/v1alpha1/users/ada/status`, … */
function resourceOf(parts: readonly string[]): string {
  const [root, ...rest] = parts;
  const inGroup = root === 'api' ? rest.slice(1) : rest.slice(2);
  return (inGroup[0] === 'namespaces' && inGroup.length > 2 ? inGroup[2] : inGroup[0]) ?? '';
}
