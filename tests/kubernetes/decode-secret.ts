// Reads a Secret in the protobuf of Kubernetes, field by field, so that tests see what was written.
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

interface Decoded {
  readonly apiVersion: string;
  readonly kind: string;
  readonly type: string;
  readonly metadata: Record<string, unknown>;
  /** In base64, as in JSON. */
  readonly data: Record<string, string>;
}

/** What stands in the fields of a message, by their numbers. */
function fields(bytes: Uint8Array): Map<number, Uint8Array[]> {
  const found = new Map<number, Uint8Array[]>();
  for (const reader = new BinaryReader(bytes); reader.pos < reader.len;) {
    const [number, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited) throw new Error(`a field ${number} of wire type ${wireType}`);
    found.set(number, [...(found.get(number) ?? []), reader.bytes()]);
  }
  return found;
}

const NOTHING = new Uint8Array();
const text = (bytes: Uint8Array = NOTHING) => Buffer.from(bytes).toString('utf8');

function entries(messages: readonly Uint8Array[] | undefined, encoding: 'utf8' | 'base64') {
  return Object.fromEntries(
    (messages ?? []).map((message) => {
      const entry = fields(message);
      return [text(entry.get(1)?.[0]), Buffer.from(entry.get(2)?.[0] ?? NOTHING).toString(encoding)];
    }),
  );
}

export function decodeSecret(bytes: Uint8Array): Decoded {
  if (text(bytes.subarray(0, 4)) !== 'k8s\0') throw new Error('not what Kubernetes calls protobuf');
  const unknown = fields(bytes.subarray(4));
  const only = (message: Map<number, Uint8Array[]>, number: number) => message.get(number)?.[0] ?? NOTHING;
  const kind = fields(only(unknown, 1));
  const secret = fields(only(unknown, 2));
  const metadata = fields(only(secret, 1));
  return {
    apiVersion: text(only(kind, 1)),
    kind: text(only(kind, 2)),
    type: text(only(secret, 3)),
    metadata: {
      name: text(only(metadata, 1)),
      namespace: text(only(metadata, 3)),
      uid: text(only(metadata, 5)),
      resourceVersion: text(only(metadata, 6)),
      labels: entries(metadata.get(11), 'utf8'),
      annotations: entries(metadata.get(12), 'utf8'),
      managedFields: metadata.get(17)?.map((message) => Object.fromEntries(fields(message))),
    },
    data: entries(secret.get(2), 'base64'),
  };
}
