// Asks an API server who the bearer of a token is, as `kubectl auth whoami` does, without a process for each question.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';

/** Of authentication.k8s.io/v1. */
export interface UserInfo {
  readonly username: string;
  readonly groups: readonly string[];
}

export interface WhoAmI {
  /** @returns undefined where the token is refused. @throws where the API server says neither */
  ask(token: string): Promise<UserInfo | undefined>;
  close(): Promise<void>;
}

export function whoAmI({ url, caFile }: { readonly url: string; readonly caFile: string }): WhoAmI {
  // With HTTP/2 a refusal ends the connection (apiserver, endpoints/filters/authentication.go).
  const dispatcher = new Agent({ allowH2: false, connect: { ca: readFileSync(caFile) } });
  return {
    async ask(token) {
      const { statusCode, body } = await request(`${url}/apis/authentication.k8s.io/v1/selfsubjectreviews`, {
        dispatcher,
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
      });
      const text = await body.text();
      if (statusCode === 401) return undefined;
      if (statusCode !== 201) throw new Error(`the API server answered ${statusCode}: ${text}`);
      return (JSON.parse(text) as { status: { userInfo: UserInfo } }).status.userInfo;
    },
    close: () => dispatcher.close(),
  };
}
