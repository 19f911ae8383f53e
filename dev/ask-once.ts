// One request on a connection of its own, as a client asks that trusts one authority and nothing else.
import { Agent, request } from 'undici';

/** Far more than an answer takes, also where the machine is busy. */
const LIMIT_MS = 60_000;

export interface Question {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** PEM; undefined verifies no certificate, as the kubelet does. */
  readonly ca: string | Buffer | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** @throws what undici throws, also where the whole answer is not there within 60 s */
export async function askOnce(
  url: string | URL,
  { method = 'GET', headers, body, ca }: Question,
): Promise<Answer> {
  const agent = new Agent({ connect: ca === undefined ? { rejectUnauthorized: false } : { ca } });
  try {
    const answer = await request(url, {
      dispatcher: agent,
      method,
      ...(headers !== undefined && { headers }),
      ...(body !== undefined && { body }),
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
  } finally {
    await agent.destroy();
  }
}
