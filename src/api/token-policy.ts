// The resource TokenPolicy: what an admin may change about everybody's tokens without a restart.
import { z } from 'zod';
import { DURATION } from '../duration.ts';
import { conditions, dateTime, type ObjectMeta } from './metadata.ts';
import { POLICY_NAME } from './names.ts';
import { rules } from './rule.ts';

const duration = (description: string) =>
  z
    .string()
    .max(16)
    .meta({
      description,
      ...rules({
        rule: `self.matches('${DURATION}')`,
        message: 'a duration is a whole number of at most 6 digits and one of s, m, h: write for example 30m',
      }),
    });

/** Holds `rule` only where both durations can be read, so that a typing error gives one message and not two. */
const whereReadable = (rule: string) =>
  `!(self.ttl.matches('${DURATION}') && self.minRemaining.matches('${DURATION}')) || (${rule})`;

const audience = z
  .string()
  .max(256)
  .meta(
    rules({
      rule: "self != '' && self == self.trim()",
      message: 'an audience must not be empty, nor begin or end with a space: write for example latchkey',
    }),
  );

const accessToken = z
  .object({
    ttl: duration('How long a new token lives: 1m to 24h.').default('30m'),
    minRemaining: duration(
      'How long a token that is read from the Secret lives at the least. Latchkey replaces a token after 45 to 75 % of ttl - minRemaining.',
    ).default('10m'),
    audiences: z
      .array(audience)
      .max(16)
      .default(['latchkey'])
      .meta({
        description:
          'The claim "aud": which services accept the token. Never the API server unless an admin adds it.',
        'x-kubernetes-list-type': 'set',
        ...rules({
          rule: 'size(self) > 0',
          message: 'a token needs an audience: write for example [latchkey]',
        }),
      }),
  })
  .meta({
    description: 'What every new token is like.',
    ...rules(
      {
        rule: whereReadable("duration(self.ttl) >= duration('1m') && duration(self.ttl) <= duration('24h')"),
        message: 'ttl must be between 1m and 24h: write for example 30m',
        fieldPath: '.ttl',
      },
      {
        rule: whereReadable("duration(self.ttl) - duration(self.minRemaining) >= duration('30s')"),
        message:
          'minRemaining must be at least 30s less than ttl: write for example ttl: 30m and minRemaining: 10m',
        fieldPath: '.minRemaining',
      },
    ),
  });

const directory = z
  .object({
    onUnreachable: z
      .enum(['Keep', 'Revoke'])
      .default('Keep')
      .describe(
        'What becomes of tokens when the directory has been silent, or an account unknown, for longer than gracePeriod. Keep: nothing, since silence says nothing of anybody. Revoke: they go, and people sign in again.',
      ),
    gracePeriod: duration('How long an account may stay unknown before onUnreachable counts.').default('1h'),
    endSessionOn: z
      .array(z.enum(['Locked', 'PasswordExpired']))
      .max(2)
      .optional()
      .meta({
        description:
          'What also ends a session, although it only keeps people from signing in. With Locked, anyone can take anyone’s token away by typing wrong passwords. Default: nothing.',
        'x-kubernetes-list-type': 'set',
      }),
  })
  .describe('What the word of the directory does to tokens.');

/** The first name in the DN becomes a claim, where nothing may stand that could pass for two, or for Kubernetes' own. */
const GROUP_DN = '^[A-Za-z][-A-Za-z0-9.]*=[^,:+=<>;#\\\\\\\\]{1,128},.*=.+$';

const group = z
  .string()
  .max(512)
  .meta(
    rules({
      rule: `self.matches('${GROUP_DN}') && !self.matches('\\\\p{Cc}')`,
      message:
        "name a group by its DN, in whose first part no ':', ',', '+', '#' or backslash may stand, since it becomes a claim: write for example cn=analytics,ou=groups,dc=example,dc=org",
    }),
  );

const onboarding = z
  .object({
    groups: z.array(group).min(1).max(16).meta({
      description:
        'The DNs of groups of the directory. Who is in one of them gets a User at the first sign-in, and loses the session, never the namespace, after leaving all of them. A token carries the first name of each that its user is in, beside spec.groups of the User.',
      'x-kubernetes-list-type': 'set',
    }),
    maxUsers: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(1_000)
      .describe('How many Users there may be that were made this way. Whoever comes later is told so.'),
  })
  .describe(
    'Makes a User at the first sign-in of a member of a group, where the chart gives that right (onboarding.enabled). Without it, admins make Users.',
  );

const session = z
  .object({
    maxAge: duration(
      'How long after a sign-in the session ends, whatever else is so, for example 12h. A sign-in in any browser begins it anew. Default: it has no end of its own.',
    ).optional(),
    endOnPasswordChange: z
      .boolean()
      .default(false)
      .describe(
        'true ends a session when the directory says that the password was changed after the sign-in (Active Directory, OpenLDAP with ppolicy, FreeIPA, 389 DS where it tracks that).',
      ),
  })
  .describe('What ends a session of one user, besides the gates.');

const DIRECTORY_DEFAULTS = { onUnreachable: 'Keep', gracePeriod: '1h' } as const;

export const tokenPolicySpec = z
  .object({
    enabled: z
      .boolean()
      .default(true)
      .describe('false takes every token of the cluster away at once and ends every session.'),
    tokenSource: z
      .enum(['Latchkey', 'Kubernetes'])
      .default('Latchkey')
      .describe(
        'Who signs the tokens. Kubernetes: they are tokens of the ServiceAccount access-token in the user’s namespace, for clusters whose API server nobody may configure; it refuses them within 10 s of their revocation.',
      ),
    accessToken: accessToken.default({ ttl: '30m', minRemaining: '10m', audiences: ['latchkey'] }),
    directory: directory.default(DIRECTORY_DEFAULTS),
    session: session.optional(),
    onboarding: onboarding.optional(),
  })
  .meta(
    rules({
      rule: `self.tokenSource != 'Kubernetes' || !self.accessToken.ttl.matches('${DURATION}') || duration(self.accessToken.ttl) >= duration('10m')`,
      message: 'Kubernetes gives no tokens for less than 10m: write for example ttl: 30m',
      fieldPath: '.accessToken.ttl',
    }),
  );

const licenseStatus = z
  .object({
    state: z
      .enum(['NotRequired', 'Valid', 'Expiring', 'Expired', 'Missing', 'Invalid', 'NotYetValid'])
      .describe(
        'Tokens are given out while it is NotRequired, Valid or Expiring (within 30 days of its end); the condition Licensed says what to do next.',
      ),
    id: z.string().max(64).optional().describe('Names the licence, for its vendor.'),
    customer: z.string().max(256).optional().describe('Whom the licence is for.'),
    users: z.int().min(1).optional().describe('How many Users may have a token.'),
    notBefore: dateTime('From when the licence is valid.').optional(),
    expiresAt: dateTime('Until when the licence is valid.').optional(),
    latestTime: dateTime(
      'The latest time that was seen, written about once an hour. A clock that is set back behind it counts as standing still.',
    ).optional(),
  })
  .describe('The licence as Latchkey took it up last; only where one is required.');
/** Why many Users may lose access or namespace at once, without an admin having named each of them. */
const HOLD_CAUSES = ['Deleting', 'Vanished', 'CRDDeleting', 'PolicyCRDDeleting', 'Inactive'] as const;
const cause = z
  .enum(HOLD_CAUSES)
  .describe(
    'Deleting: the Users are being deleted. Vanished: they are gone and were not offboarded, as after a restore. CRDDeleting: the CustomResourceDefinition is being deleted. PolicyCRDDeleting: that of the TokenPolicy is. Inactive: the directory says so, that they have left their groups, or that their passwords were changed where that ends sessions.',
  );

const hold = z.object({
  id: z
    .string()
    .max(16)
    .describe('Names this hold alone: an admin lets it go on with "latchkey confirm <id>".'),
  cause,
  affected: z.int().min(0).describe('How many Users would lose their access or namespace, and keep it now.'),
  of: z.int().min(0).describe('How many Users there were when the latest of them was counted.'),
  since: dateTime('Since when nothing more is taken away.'),
  confirmed: z
    .boolean()
    .describe('Whether an admin has confirmed it. The annotation latchkey.dev/confirm counts, not this.'),
});

const takenAway = z.object({
  cause,
  at: dateTime('The minute.'),
  users: z.int().min(0).describe('How many Users.'),
});

const directoryStatus = z
  .object({
    state: z
      .enum(['Reachable', 'Unreachable', 'GracePeriodOver'])
      .describe(
        'GracePeriodOver: it was unreachable for longer than spec.directory.gracePeriod, and onUnreachable is Revoke, so nobody has a token.',
      ),
    heardAt: dateTime('When the directory last answered, noted a few times within a grace period.'),
    fault: z
      .string()
      .max(32)
      .optional()
      .describe(
        'While it is unreachable: why, in a word; the condition DirectoryReachable has the sentence.',
      ),
  })
  .describe('Whether the directory answers the leader; only where it is watched.');

export const tokenPolicyStatus = z.object({
  epoch: z
    .string()
    .max(64)
    .optional()
    .describe('128 random bits, compared for equality only. A new one ends every session.'),
  observedGeneration: z
    .int()
    .min(0)
    .optional()
    .describe('The metadata.generation up to which no change went unwatched.'),
  license: licenseStatus.optional(),
  directory: directoryStatus.optional(),
  holds: z
    .array(hold)
    .optional()
    .meta({
      description:
        'What is held: so many Users would lose their access or namespace at once (at least 10, and 20 %) that an admin has to confirm it. Until then they keep it.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['id'],
    }),
  taken: z.array(takenAway).optional().meta({
    description:
      'How many Users lost their access or namespace in the last minutes without a confirmation. A slow stream of losses is held, too.',
    'x-kubernetes-list-type': 'atomic',
  }),
  conditions: conditions.optional(),
});

export const tokenPolicy = z
  .object({
    spec: tokenPolicySpec
      .default({
        enabled: true,
        tokenSource: 'Latchkey',
        accessToken: { ttl: '30m', minRemaining: '10m', audiences: ['latchkey'] },
        directory: DIRECTORY_DEFAULTS,
      })
      .describe('What an admin says of the tokens of all users.'),
    status: tokenPolicyStatus.optional().describe('What Latchkey found and did; nobody else writes it.'),
  })
  .meta({
    description:
      'What holds for the tokens of all users. The one object named "cluster" counts; without it nobody has a token.',
    ...rules({
      rule: `self.metadata.name == '${POLICY_NAME}'`,
      message: `there is one TokenPolicy, and its name is ${POLICY_NAME}: edit that one`,
    }),
  });

export type TokenPolicySpec = z.infer<typeof tokenPolicySpec>;
export type TokenPolicyStatus = z.infer<typeof tokenPolicyStatus>;
export type HoldCause = z.infer<typeof cause>;
export type Hold = z.infer<typeof hold>;
export type TakenAway = z.infer<typeof takenAway>;

export type PolicyDirectoryStatus = z.infer<typeof directoryStatus>;
export type LicenseStatus = z.infer<typeof licenseStatus>;

export interface TokenPolicy {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly spec: TokenPolicySpec;
  readonly status?: TokenPolicyStatus;
}
