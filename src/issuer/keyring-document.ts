// The keyring as it lies in the data of its Secret, and the checks that it passes on its way back.
import { z } from 'zod';
import { keyPairOf, thumbprint } from './key-pair.ts';
import {
  KeyringError,
  MAX_RETIRED,
  type Keyring,
  publishedKeys,
  type RetiredKey,
  type SigningKey,
} from './keyring.ts';

const DOCUMENT = 'keyring.json';

/** 32 bytes in base64url. */
const number = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const publicJwk = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: number,
  y: number,
  kid: number,
});
const privateJwk = publicJwk.extend({ d: number });
const time = z.iso.datetime().transform((text) => new Date(text));

const signingKey = z
  .strictObject({ createdAt: time, key: privateJwk })
  .transform(({ createdAt, key }, context): SigningKey => {
    const { kid, ...jwk } = key;
    const pair = keyPairOf(jwk);
    if (pair?.kid === kid) return { ...pair, createdAt };
    context.addIssue(
      pair
        ? 'kid is not the thumbprint of the key'
        : 'the private and the public part do not belong together',
    );
    return z.NEVER;
  });

const retiredKey = z
  .strictObject({ createdAt: time, until: time, key: publicJwk })
  .transform(({ key: { kid, ...jwk }, ...times }, context): RetiredKey => {
    if (thumbprint(jwk) === kid) return { ...times, kid, publicJwk: jwk };
    context.addIssue('kid is not the thumbprint of the key');
    return z.NEVER;
  });

const keyringDocument = z
  .strictObject({ active: signingKey, next: signingKey, retired: z.array(retiredKey).max(MAX_RETIRED) })
  .refine(
    (keyring) => new Set(publishedKeys(keyring).map(({ kid }) => kid)).size === keyring.retired.length + 2,
    {
      message: 'the same key is in it twice',
    },
  );

/** @returns the `data` of the Secret */
export function serialiseKeyring({ active, next, retired }: Keyring): Record<string, string> {
  const text = JSON.stringify({
    active: signingKeyDocument(active),
    next: signingKeyDocument(next),
    retired: retired.map(({ kid, publicJwk: jwk, ...times }) => ({ ...times, key: { ...jwk, kid } })),
  });
  return { [DOCUMENT]: Buffer.from(text).toString('base64') };
}

function signingKeyDocument({ kid, createdAt, privateKey }: SigningKey) {
  return { createdAt, key: { ...privateKey.export({ format: 'jwk' }), kid } };
}

/**
 * Reads the `data` of the Secret.
 * @throws {KeyringError} `KeyringDamaged`: it names what is wrong and never what was there
 */
export function parseKeyring(data: Readonly<Record<string, string>> | undefined): Keyring {
  const text = data?.[DOCUMENT];
  if (text === undefined) throw damaged(`it has no ${DOCUMENT}`);
  const result = keyringDocument.safeParse(parseJson(Buffer.from(text, 'base64').toString('utf8')));
  if (result.success) return result.data;
  throw damaged(result.error.issues.map(problem).join('; '));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The engine's own error would quote the text, so it is not kept as the cause either.
    throw damaged(`${DOCUMENT} is not JSON`);
  }
}

/** The messages of zod may quote what they found, so only our own are taken. */
function problem({ path, code, message }: z.core.$ZodIssue): string {
  return `${[DOCUMENT, ...path].join('.')}: ${code === 'custom' ? message : code}`;
}

function damaged(what: string): KeyringError {
  return new KeyringError(
    'KeyringDamaged',
    `The Secret of the signing keys is damaged: ${what}. Put back what was there; or delete the Secret, and Latchkey ` +
      'makes new keys, which no earlier token was signed with.',
  );
}
