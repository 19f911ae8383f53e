import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encodeSecret } from '../../src/kubernetes/secret-protobuf.ts';
import { decodeSecret } from './decode-secret.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 300 });
const texts = fc.dictionary(text, text);
const secret = fc.record({
  type: text,
  metadata: fc.record({
    name: text,
    namespace: text,
    uid: text,
    resourceVersion: text,
    labels: texts,
    annotations: texts,
    managedFields: fc.constant([{}]),
  }),
  data: fc.dictionary(text, fc.uint8Array({ maxLength: 5_000 })),
});

test('whatever is written can be read again', () => {
  fc.assert(
    fc.property(secret, (given) => {
      const { data, ...rest } = given;
      const inBase64 = Object.entries(data).map(([key, value]) => [
        key,
        Buffer.from(value).toString('base64'),
      ]);
      expect(decodeSecret(encodeSecret(given))).toEqual({
        apiVersion: 'v1',
        kind: 'Secret',
        ...rest,
        data: Object.fromEntries(inBase64),
      });
    }),
  );
});
