// Serves the two public documents of the issuer, so that anybody can verify a token.
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { endpoints, providerMetadata, publicJwks } from '../../issuer/discovery.ts';
import type { Keyring } from '../../issuer/keyring.ts';
import { pathOf } from '../path-of.ts';
import { sendStatus } from '../plain-errors.ts';
import { matches } from './entity-tag.ts';

export interface DiscoverySettings {
  /** The claim `iss`; its path, if it has one, is part of the routes. */
  readonly issuerUrl: string;
  /** Asked on every request; while there is none, the JWKS answers 503. */
  readonly keyring: () => Keyring | undefined;
}

/**
 * With `max-age`, a kube-apiserver would refuse the tokens of a new key until the time is over (go-oidc, jwks.go);
 * so would a cache in between.
 */
const HEADERS = {
  'cache-control': 'no-cache',
  'access-control-allow-origin': '*',
  // RFC 7517 has application/jwk-set+json too; not every verifier takes it, and all take this.
  'content-type': 'application/json; charset=utf-8',
};

/** Register it with `app.register(discovery, settings)`, without a prefix. */
export async function discovery(
  app: FastifyInstance,
  { issuerUrl, keyring }: DiscoverySettings,
): Promise<void> {
  const { metadata, jwks } = endpoints(issuerUrl);
  const metadataDocument = document(providerMetadata(issuerUrl));
  let latest: { readonly of: Keyring; readonly document: Document } | undefined;

  app.get(pathOf(metadata), (request, reply) => answer(metadataDocument, request, reply));
  app.get(pathOf(jwks), (request, reply) => {
    const known = keyring();
    if (!known) return sendStatus(reply, 503);
    if (latest?.of !== known) latest = { of: known, document: document(publicJwks(known)) };
    return answer(latest.document, request, reply);
  });
}

interface Document {
  readonly body: string;
  readonly etag: string;
}

function document(content: object): Document {
  const body = JSON.stringify(content);
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
}

function answer({ body, etag }: Document, request: FastifyRequest, reply: FastifyReply): void {
  reply.headers({ ...HEADERS, etag });
  void (matches(request.headers['if-none-match'], etag) ? reply.code(304).send() : reply.send(body));
}
