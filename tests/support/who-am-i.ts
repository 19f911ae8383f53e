// Asks one API server, over connections of its own, who the bearer of a token is.
import { readFileSync } from 'node:fs';
import { Agent } from 'undici';
import { selfSubjectReview, type UserInfo } from '../../dev/cluster/self-subject-review.ts';

export interface WhoAmI {
  /** @returns undefined where the token is refused. @throws where the API server says neither */
  ask(token: string): Promise<UserInfo | undefined>;
  close(): Promise<void>;
}

export function whoAmI({ url, caFile }: { readonly url: string; readonly caFile: string }): WhoAmI {
  const dispatcher = new Agent({ allowH2: false, connect: { ca: readFileSync(caFile) } });
  return {
    ask: (token) => selfSubjectReview(url, token, dispatcher),
    close: () => dispatcher.close(),
  };
}
