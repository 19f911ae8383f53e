// Writes a Secret in the protobuf of Kubernetes, which costs the API server a fraction of what JSON does.
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** The content type. @see https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding */
export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

type Texts = Readonly<Record<string, string>>;

/** As much of a Secret as is ever written. */
export interface SecretMessage {
  readonly type: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels: Texts;
    readonly annotations: Texts;
    /** Entries without content: they clear what the API server notes. */
    readonly managedFields: readonly object[];
  };
  readonly data: Readonly<Record<string, Uint8Array>>;
}

/** In front of everything that is stored or sent: `k8s`, and a zero. */
const MAGIC = new TextEncoder().encode('k8s\0');

/** k8s.io/apimachinery/pkg/runtime/generated.proto */
const UNKNOWN = { typeMeta: 1, raw: 2 };
const TYPE_META = { apiVersion: 1, kind: 2 };
/** k8s.io/api/core/v1/generated.proto */
const SECRET = { metadata: 1, data: 2, type: 3 };
/** k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto */
const OBJECT_META = {
  name: 1,
  namespace: 3,
  uid: 5,
  resourceVersion: 6,
  labels: 11,
  annotations: 12,
  managedFields: 17,
};
/** Of a map. @see https://protobuf.dev/programming-guides/proto3/#maps */
const ENTRY = { key: 1, value: 2 };

/** @returns the body of a request with the content type `PROTOBUF` */
export function encodeSecret({ type, metadata, data }: SecretMessage): Uint8Array {
  // Not kept for the next Secret: its buffer holds a token.
  const writer = new BinaryWriter();
  const field = (number: number) => writer.tag(number, WireType.LengthDelimited);
  const text = (number: number, value: string) => field(number).string(value);
  const message = (number: number, write: () => void) => {
    field(number).fork();
    write();
    writer.join();
  };
  const entry = (number: number, key: string, write: () => void) =>
    message(number, () => {
      text(ENTRY.key, key);
      write();
    });
  const texts = (number: number, entries: Texts) => {
    for (const [key, value] of Object.entries(entries)) entry(number, key, () => text(ENTRY.value, value));
  };

  writer.raw(MAGIC);
  message(UNKNOWN.typeMeta, () => {
    text(TYPE_META.apiVersion, 'v1');
    text(TYPE_META.kind, 'Secret');
  });
  message(UNKNOWN.raw, () => {
    message(SECRET.metadata, () => {
      text(OBJECT_META.name, metadata.name);
      text(OBJECT_META.namespace, metadata.namespace);
      text(OBJECT_META.uid, metadata.uid);
      text(OBJECT_META.resourceVersion, metadata.resourceVersion);
      texts(OBJECT_META.labels, metadata.labels);
      texts(OBJECT_META.annotations, metadata.annotations);
      for (const _ of metadata.managedFields) message(OBJECT_META.managedFields, () => {});
    });
    for (const [key, value] of Object.entries(data))
      entry(SECRET.data, key, () => field(ENTRY.value).bytes(value));
    text(SECRET.type, type);
  });
  return writer.finish();
}
