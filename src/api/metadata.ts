// The parts of Kubernetes' ObjectMeta and Condition that Latchkey reads and writes.
import { z } from 'zod';

/** @see https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#objectmeta-v1-meta */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[] | undefined;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Anything with metadata: what a store keeps and a watch delivers. */
export interface KubernetesObject {
  readonly metadata: ObjectMeta;
}

export const dateTime = (description: string) => z.string().meta({ format: 'date-time', description });

const condition = z.object({
  type: z.string().max(316).describe('What the condition is about, for example Ready.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: z.string().max(1024).describe('One word for programs: why the condition stands as it does.'),
  message: z.string().max(32768).describe('A sentence for people: what is so, and what to do next.'),
  lastTransitionTime: dateTime('Since when the status is what it is.'),
  observedGeneration: z.int().min(0).optional().describe('The metadata.generation that this was decided on.'),
});

export const conditions = z
  .array(condition)
  .max(16)
  .meta({
    description: 'What holds and what does not, each with a reason and a message that says what to do next.',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
  });

export type Condition = z.infer<typeof condition>;
