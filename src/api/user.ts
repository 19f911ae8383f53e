// The resource User: a person who may have a token.
import { z } from 'zod';
import { conditions, dateTime, type ObjectMeta } from './metadata.ts';
import { RESERVED_NAMESPACES, RESERVED_PREFIXES } from './names.ts';
import { rules } from './rule.ts';

/** What could pass for one of Kubernetes' own names, for two names in a header, or for another line of a log. */
const SAFE = "!self.matches('[:,\\\\p{Cc}]')";

/** Not empty: minLength says so in words that help nobody. */
const TRIMMED = "self != '' && self == self.trim()";

const group = z
  .string()
  .max(128)
  .meta(
    rules(
      {
        rule: SAFE,
        message:
          "a group name must not contain ':' (reserved for Kubernetes' own groups such as system:masters), ',' or control characters: write for example analytics",
      },
      {
        rule: TRIMMED,
        message: 'a group name must not be empty, nor begin or end with a space: write for example analytics',
      },
    ),
  );

export const userSpec = z.object({
  username: z
    .string()
    .max(256)
    .optional()
    .meta({
      description:
        'How the directory (and Kubernetes RBAC) knows the user, for example ada or ada@example.org. Defaults to the name of this User. Fixed once made. Compared without regard to case: two Users with one username are two claims to one person, and the older one holds it.',
      ...rules(
        {
          rule: SAFE,
          message:
            "a username must not contain ':' (reserved for Kubernetes' own names such as system:admin), ',' or control characters: write it as the directory does, for example ada",
        },
        {
          rule: TRIMMED,
          message:
            'a username must not be empty, nor begin or end with a space: write it as the directory does, for example ada',
        },
      ),
    }),
  namespace: z
    .string()
    .max(63)
    .optional()
    .meta({
      description:
        'The namespace that Latchkey makes for the user and keeps the Secret access-token in. Defaults to the name of this User. Fixed once made. An existing namespace is left alone unless an admin hands it over with the label latchkey.dev/namespace=handed-over.',
      ...rules({
        rule: "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
        message:
          "a namespace is lower-case letters, digits and '-', and begins and ends with a letter or digit: write for example ada-lovelace",
      }),
    }),
  email: z
    .string()
    .max(254)
    .optional()
    .meta({
      description: 'A claim in the token.',
      ...rules({
        rule: "self.matches('^[^@\\\\s\\\\p{Cc}]+@[^@\\\\s\\\\p{Cc}]+$')",
        message:
          'an email address has one @ and no spaces or control characters: write for example ada@example.org',
      }),
    }),
  displayName: z
    .string()
    .max(256)
    .optional()
    .meta({
      description: 'How people call the user: shown in the portal, and the claim "name" in the token.',
      ...rules({
        rule: "self.trim() != '' && !self.matches('\\\\p{Cc}')",
        message:
          'a display name must not be empty, nor contain control characters such as tabs or line breaks: write for example Ada Lovelace, or leave it out',
      }),
    }),
  role: z
    .enum(['member', 'admin'])
    .default('member')
    .describe('A claim in the token, for services that verify it. It grants nothing in Kubernetes.'),
  groups: z.array(group).max(64).optional().meta({
    description: 'Claims in the token, for services that verify it.',
    'x-kubernetes-list-type': 'set',
  }),
  disabled: z
    .boolean()
    .default(false)
    .describe(
      "The admin's own switch. true takes the token away at once and ends the session; after false the user has to sign in again.",
    ),
});

const session = z
  .object({
    id: z.string().max(64).describe('Names the session in tokens and logs. It is not a credential.'),
    startedAt: dateTime('When the user signed in.'),
    epoch: z
      .string()
      .max(64)
      .describe('The epoch of the TokenPolicy at that time; another one ends the session.'),
    userUID: z.string().max(64).describe('The User that signed in; a restored copy of it is somebody else.'),
    generation: z
      .int()
      .min(0)
      .describe('The generation of the User up to which no change went unwatched since the sign-in.'),
    passwordChangedAt: dateTime(
      'When the password was last changed, by the clock and the word of the directory at the sign-in.',
    ).optional(),
  })
  .describe('There only while the user is signed in.');

const browser = z.object({
  digest: z.string().max(64).describe('SHA-256 of the cookie of a signed-in browser.'),
  expiresAt: dateTime('When the browser has to sign in again.'),
});

const directory = z
  .object({
    state: z
      .enum(['Active', 'Inactive', 'Missing', 'Unknown'])
      .optional()
      .describe(
        'Inactive and Missing take the token away; it comes back after the account is good again and the user has signed in. Unknown: the directory cannot say.',
      ),
    reason: z.string().max(64).optional().describe('Why it is not Active, for example Disabled or Expired.'),
    attribute: z
      .string()
      .max(64)
      .optional()
      .describe('The attribute of its entry that cannot be read, where that is why it is Unknown.'),
    since: dateTime('Since when the directory has said so.').optional(),
    id: z
      .string()
      .max(256)
      .optional()
      .describe('entryUUID or objectGUID of the account at the first sign-in. Another one is somebody else.'),
    groups: z.array(z.string().max(512)).max(16).optional().meta({
      description:
        'Which of the groups in spec.onboarding of the TokenPolicy the account is in; missing where it is not known.',
      'x-kubernetes-list-type': 'atomic',
    }),
  })
  .describe('What the directory said of the account.');

export const userStatus = z.object({
  phase: z
    .enum(['Pending', 'Active', 'Disabled', 'Suspended', 'Terminating'])
    .optional()
    .describe(
      'Pending: has not signed in. Active: has a token. Disabled: switched off by an admin. Suspended: something else keeps the token away, see the condition Ready. Terminating: being offboarded.',
    ),
  username: z
    .string()
    .optional()
    .describe('The username that this User holds; missing while an older User has it.'),
  namespace: z.string().optional().describe('The namespace in effect.'),
  observedGeneration: z
    .int()
    .min(0)
    .optional()
    .describe('The metadata.generation that this status is about.'),
  session: session.optional(),
  browsers: z
    .array(browser)
    .max(8)
    .optional()
    .meta({ description: 'Signed-in browsers.', 'x-kubernetes-list-type': 'atomic' }),
  directory: directory.optional(),
  secretUID: z
    .string()
    .max(64)
    .optional()
    .describe('The Secret access-token that Latchkey made for this User.'),
  anchorUID: z
    .string()
    .max(64)
    .optional()
    .describe('The Secret access-token-binding that tokens of Kubernetes for this User hang on.'),
  hold: z
    .string()
    .max(16)
    .optional()
    .describe(
      'The hold (status.holds of the TokenPolicy) that keeps this User from losing its access or namespace.',
    ),
  conditions: conditions.optional(),
});

/** The namespace in effect, in CEL; `namespace` is a reserved word there. */
const celNamespace = (self: string) =>
  `(has(${self}.spec.__namespace__) ? ${self}.spec.__namespace__ : ${self}.metadata.name)`;
const celUsername = (self: string) =>
  `(has(${self}.spec.username) ? ${self}.spec.username : ${self}.metadata.name)`;

const NOT_RESERVED = [
  `!(${celNamespace('self')} in [${RESERVED_NAMESPACES.map((name) => `'${name}'`).join(', ')}])`,
  ...RESERVED_PREFIXES.map((prefix) => `!${celNamespace('self')}.startsWith('${prefix}')`),
].join(' && ');

export const user = z
  .object({
    spec: userSpec.default({ role: 'member', disabled: false }).describe('What an admin says of the user.'),
    status: userStatus.optional().describe('What Latchkey found and did; nobody else writes it.'),
  })
  .meta({
    description:
      "A person who may have a token. After the user's first sign-in in the portal, the Secret access-token in the user's namespace holds a token that is always fresh.",
    ...rules(
      {
        rule: "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')",
        message:
          "the name of a User is a DNS label of at most 63 lower-case letters, digits and '-': write for example ada-lovelace, and the directory's name in spec.username",
      },
      {
        rule: NOT_RESERVED,
        message:
          'this namespace is reserved: choose a spec.namespace other than default, latchkey, latchkey-system, kube-* and openshift*',
        fieldPath: '.spec.namespace',
      },
      {
        rule: `${celNamespace('self')} == ${celNamespace('oldSelf')}`,
        message:
          'the namespace of a User is fixed once made: delete this User and make a new one (this offboards the old namespace)',
        fieldPath: '.spec.namespace',
      },
      {
        rule: `${celUsername('self')} == ${celUsername('oldSelf')}`,
        message: 'the username of a User is fixed once made: delete this User and make a new one',
        fieldPath: '.spec.username',
      },
    ),
  });

export type UserSpec = z.infer<typeof userSpec>;
export type UserStatus = z.infer<typeof userStatus>;
export type Session = z.infer<typeof session>;
export type DirectoryStatus = z.infer<typeof directory>;
export type Browser = z.infer<typeof browser>;

export interface User {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly spec: UserSpec;
  readonly status?: UserStatus;
}
