// Makes the CustomResourceDefinitions from the schemas, so that the types and the cluster cannot disagree.
import { z } from 'zod';
import { GROUP, VERSION } from './names.ts';
import { tokenPolicy } from './token-policy.ts';
import { user } from './user.ts';

interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'date' | 'boolean';
  readonly jsonPath: string;
  readonly description: string;
  readonly priority?: number;
}

interface Resource {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly schema: z.ZodType;
  readonly columns: readonly PrinterColumn[];
}

const AGE: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Since when the object exists.',
};

const RESOURCES: readonly Resource[] = [
  {
    kind: 'User',
    plural: 'users',
    shortNames: ['lku'],
    schema: user,
    columns: [
      {
        name: 'Namespace',
        type: 'string',
        jsonPath: '.status.namespace',
        description: 'Where the Secret access-token lies.',
      },
      {
        name: 'Phase',
        type: 'string',
        jsonPath: '.status.phase',
        description: 'Whether the user has a token.',
      },
      {
        name: 'Reason',
        type: 'string',
        jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
        description: 'Why the user has a token, or has none.',
      },
      {
        name: 'Signed In',
        type: 'date',
        jsonPath: '.status.session.startedAt',
        description: 'When the user signed in.',
      },
      AGE,
    ],
  },
  {
    kind: 'TokenPolicy',
    plural: 'tokenpolicies',
    shortNames: ['lkp'],
    schema: tokenPolicy,
    columns: [
      {
        name: 'Enabled',
        type: 'boolean',
        jsonPath: '.spec.enabled',
        description: 'Whether anybody may have a token.',
      },
      {
        name: 'TTL',
        type: 'string',
        jsonPath: '.spec.accessToken.ttl',
        description: 'How long a new token lives.',
      },
      {
        name: 'Min Remaining',
        type: 'string',
        jsonPath: '.spec.accessToken.minRemaining',
        description: 'How long a token in a Secret lives at the least.',
      },
      {
        name: 'License',
        type: 'string',
        jsonPath: '.status.license.state',
        description: 'Whether a licence lets tokens be given out.',
      },
      {
        name: 'Reason',
        type: 'string',
        jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
        description: 'Why tokens are given out, or are not.',
      },
      AGE,
    ],
  },
];

/**
 * A structural schema (OpenAPI v3) of a resource, as apiextensions.k8s.io/v1 takes it. It leaves apiVersion, kind and
 * metadata to the API server, which knows and describes them itself.
 */
function structuralSchema(schema: z.ZodType): object {
  const { $schema: _dialect, ...root } = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' });
  return root;
}

export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string };
  readonly spec: object;
}

/** Every CustomResourceDefinition of Latchkey, in the order in which they are checked in under crds/. */
export function customResourceDefinitions(): CustomResourceDefinition[] {
  return RESOURCES.map(({ kind, plural, shortNames, schema, columns }) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Cluster',
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), shortNames },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: structuralSchema(schema) },
        },
      ],
    },
  }));
}
