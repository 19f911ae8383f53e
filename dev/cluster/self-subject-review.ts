// Asks an API server who the bearer of a token is, as `kubectl auth whoami` does, without a process for each question.
import { type Dispatcher, request } from 'undici';

/** Of authentication.k8s.io/v1. */
export interface UserInfo {
  readonly username: string;
  readonly groups: readonly string[];
}

/**
 * By a request that everybody may make who is somebody.
 * @param dispatcher of HTTP/1.1: with HTTP/2 a refusal ends the connection for the others on it (apiserver,
 *   endpoints/filters/authentication.go)
 * @returns undefined where the token is refused. @throws where the API server says neither
 */
export async function selfSubjectReview(
  url: string,
  token: string,
  dispatcher: Dispatcher,
): Promise<UserInfo | undefined> {
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
}
