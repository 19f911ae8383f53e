// Counts requests by the API server's own audit log: what a client says of itself proves nothing.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlPlane } from '../dev/cluster/control-plane.ts';
import { OPERATOR_NAMESPACE } from '../dev/latchkey/install.ts';

const OPERATOR = `system:serviceaccount:${OPERATOR_NAMESPACE}:latchkey`;

/** audit.k8s.io/v1 Event, as far as it is read. */
interface AuditEvent {
  readonly user: { readonly username: string };
  readonly verb: string;
  readonly requestURI: string;
  readonly objectRef?: { readonly resource?: string; readonly namespace?: string; readonly name?: string };
}

export interface Request {
  /** Of RBAC: get, list, watch, create, update, patch, delete. */
  readonly verb: string;
  readonly resource: string;
  readonly namespace: string;
  /** Empty for a list or a watch of everything. */
  readonly name: string;
}

export interface Audit {
  /** A place in the log: what is requested from now on comes after it. */
  mark(): number;
  /** What the operator has requested since then. */
  requestsSince(mark: number): Request[];
  /** Restarts the API server as it was. */
  end(): Promise<void>;
}

/**
 * Restarts the API server with an audit log of what ServiceAccounts ask of it: the operator's own is read, and whoever is
 * measured beside it pays for the log as it does. @see https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
 */
export async function beginAudit(cluster: ControlPlane): Promise<Audit> {
  const policyFile = join(cluster.folder, 'audit-policy.json');
  const logFile = join(cluster.folder, 'audit.log');
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    // Each request once, when it comes: a watch ends much later.
    omitStages: ['ResponseStarted', 'ResponseComplete', 'Panic'],
    rules: [{ level: 'Metadata', userGroups: ['system:serviceaccounts'] }, { level: 'None' }],
  };
  writeFileSync(policyFile, JSON.stringify(policy));
  writeFileSync(logFile, '', { mode: 0o600 });
  await cluster.restartApiServer({
    apiServerFlags: [
      `--audit-policy-file=${policyFile}`,
      `--audit-log-path=${logFile}`,
      '--audit-log-mode=blocking',
    ],
  });
  return {
    mark: () => statSync(logFile).size,
    requestsSince: (mark) =>
      readFileSync(logFile)
        .subarray(mark)
        .toString('utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as AuditEvent)
        .filter(({ user }) => user.username === OPERATOR)
        .map(requestOf),
    end: () => cluster.restartApiServer(),
  };
}

function requestOf({ verb, requestURI, objectRef }: AuditEvent): Request {
  const { resource = requestURI, namespace = '', name = '' } = objectRef ?? {};
  return { verb, resource, namespace, name };
}
