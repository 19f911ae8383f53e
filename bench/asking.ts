// Asks about tokens as verifiers do: Latchkey's own endpoints, and a kube-apiserver.
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { Agent, interceptors } from 'undici';
import type { ControlPlane } from '../dev/cluster/control-plane.ts';
import { selfSubjectReview } from '../dev/cluster/self-subject-review.ts';
import { latchkeyCommand } from '../dev/latchkey/command.ts';
import { OPERATOR_NAMESPACE } from '../dev/latchkey/install.ts';
import type { Operator } from '../dev/latchkey/operator.ts';
import type { KubernetesClient } from '../src/kubernetes/client.ts';
import { Connections } from '../src/kubernetes/http/connections.ts';
import { fieldLines } from '../src/kubernetes/http/request-bytes.ts';

const CALLER = 'bench';
const CONNECTIONS = 32;
const ANSWER_MS = 60_000;

/** Whether the bearer of the token may come in. */
export type Ask = (token: string) => Promise<boolean>;

export interface Verifiers {
  readonly tokenReview: Ask;
  readonly introspection: Ask;
  /** Of the caller, for a kubeconfig of a webhook. */
  readonly callerToken: string;
  close(): Promise<void>;
}

export async function askLatchkey(
  cluster: ControlPlane,
  { portal, caFile }: Operator,
  audience: string,
): Promise<Verifiers> {
  const command = latchkeyCommand(cluster.adminKubeconfig);
  const callerToken = (await command('callers', 'add', CALLER, `--namespace=${OPERATOR_NAMESPACE}`)).trim();
  const connections = new Connections({
    server: new URL(portal),
    secureContext: createSecureContext({ ca: readFileSync(caFile) }),
    most: CONNECTIONS,
    idleMs: 30_000,
  });
  // With as little work as may be: where one asks as fast as one can, who asks must not be what is measured.
  const post = async (path: string, type: string, body: string): Promise<unknown> => {
    const fields = fieldLines({ authorization: `Bearer ${callerToken}`, 'content-type': type });
    const question = { path, method: 'POST', fields, body } as const;
    const late = () => new Error(`${path} did not answer`);
    const limits = { limitMs: ANSWER_MS, late, signal: undefined };
    const { statusCode, text } = await connections.ask(() => Promise.resolve(question), limits);
    if (statusCode === 200) return JSON.parse(text);
    throw new Error(`${path} answered ${statusCode}`);
  };
  return {
    callerToken,
    async tokenReview(token) {
      const spec = { token, audiences: [audience] };
      const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec };
      const answer = await post('/token-review', 'application/json', JSON.stringify(review));
      const { authenticated, error } = (answer as { status: { authenticated: boolean; error?: string } })
        .status;
      // It is a no, but says nothing of the token.
      if (error?.includes('at the moment')) throw new Error('Latchkey could not tell');
      return authenticated;
    },
    async introspection(token) {
      const form = new URLSearchParams({ token }).toString();
      const answer = await post('/introspect', 'application/x-www-form-urlencoded', form);
      return (answer as { active: boolean }).active;
    },
    async close() {
      connections.close();
      await command('callers', 'remove', CALLER, `--namespace=${OPERATOR_NAMESPACE}`);
    },
  };
}

export function askApiServer({ url, caFile }: { readonly url: string; readonly caFile: string }): {
  ask: Ask;
  close: () => Promise<void>;
} {
  const connected = new Agent({
    allowH2: false,
    connect: { ca: readFileSync(caFile) },
    connections: CONNECTIONS,
  });
  // To ask twice does no harm; a connection that ends says nothing of the token.
  const dispatcher = connected.compose(
    interceptors.retry({ methods: ['POST'], statusCodes: [], errorCodes: ['ECONNRESET', 'UND_ERR_SOCKET'] }),
  );
  return {
    ask: async (token) => (await selfSubjectReview(url, token, dispatcher)) !== undefined,
    close: () => connected.close(),
  };
}

/** By the API server's own TokenReview, as services ask that were given a token of Kubernetes. */
export function askKubernetes(admin: KubernetesClient, audience: string): Ask {
  return async (token) => {
    const { status } = await admin.request<{ status: { authenticated?: boolean } }>({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, audiences: [audience] },
      },
    });
    return status.authenticated === true;
  };
}
