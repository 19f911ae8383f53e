// A service that lets in whoever has a token of Latchkey. VERIFY says how it finds out: offline, introspection, token-review.
import { createServer } from 'node:http';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const { ISSUER, AUDIENCE = 'latchkey', VERIFY = 'offline', CALLER_TOKEN, PORT = '8080' } = process.env;

// By the published keys, without asking. Keys that were withdrawn are forgotten after a minute.
const keys = createRemoteJWKSet(new URL(`${ISSUER}/jwks`), { cacheMaxAge: 60_000 });
async function offline(token) {
  const options = { issuer: ISSUER, audience: AUDIENCE, algorithms: ['ES256'], requiredClaims: ['exp'] };
  const { payload } = await jwtVerify(token, keys, options);
  return { username: payload.preferred_username, groups: payload.groups };
}

// By asking Latchkey (RFC 7662).
async function introspection(token) {
  const answer = await ask('/introspect', new URLSearchParams({ token }));
  if (!answer.active || !answer.aud.includes(AUDIENCE)) throw new Error('not active, or not for us');
  return { username: answer.username, groups: answer.groups };
}

// By asking as a kube-apiserver does.
async function tokenReview(token) {
  const review = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, audiences: [AUDIENCE] },
  };
  const { status } = await ask('/token-review', JSON.stringify(review), {
    'content-type': 'application/json',
  });
  if (!status.authenticated || !status.audiences?.includes(AUDIENCE)) throw new Error(status.error);
  return { username: status.user.username, groups: status.user.groups };
}

async function ask(path, body, headers = {}) {
  const answer = await fetch(ISSUER + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${CALLER_TOKEN}`, ...headers },
    body,
    signal: AbortSignal.timeout(5_000),
  });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

const whoIs = { offline, introspection, 'token-review': tokenReview }[VERIFY];
createServer(async (request, response) => {
  const [, token = ''] = /^Bearer ([\w.-]+)$/.exec(request.headers.authorization ?? '') ?? [];
  try {
    response.end(JSON.stringify(await whoIs(token)));
  } catch {
    response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
  }
}).listen(Number(PORT), '127.0.0.1');
