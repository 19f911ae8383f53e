// The settings of the commands that an admin runs by hand.
import { z } from 'zod';
import { argument, moment, text, yesOrNo } from '../config/fields.ts';
import { CALLER_NAME } from '../verification/callers/secret.ts';
import { clusterSettings } from './cluster-settings.ts';
import { objectName } from './object-names.ts';

/** Neither is a default: what ends everybody's session is said in full. */
export const revokeSettings = z
  .object({
    ...clusterSettings,
    user: objectName('The name of the User whose session ends.').optional(),
    all: yesOrNo("End everybody's session, and replace the signing keys."),
  })
  .check((context) => {
    const { user, all } = context.value;
    if ((user === undefined) === all) return;
    context.issues.push({
      code: 'custom',
      input: user,
      path: ['user'],
      message: 'give either this or --all',
    });
  });

/** Says what it does: there may be other things to adopt one day. */
export const adoptSettings = z.object({
  ...clusterSettings,
  restored: yesOrNo('Adopt the namespaces that a restored backup orphaned.').refine(
    (given) => given,
    'has to be given',
  ),
});

/** The key is never a flag's value: other users of the machine see those. */
export const issueLicenseSettings = z.object({
  privateKeyFile: text("The vendor's private key, Ed25519 or P-256, as PEM or JWK. Required."),
  customer: text('Whom the licence is for. Required.'),
  users: z
    .string('is required')
    .regex(/^[1-9]\d{0,7}$/, 'must be a whole number above 0')
    .transform(Number)
    .describe('How many Users may have a token. Required.'),
  notBefore: moment('From when it is valid. Default: now.').optional(),
  expiresAt: moment('Until when it is valid, for example 2030-12-31. Required.'),
});

export const showLicenseSettings = z.object({
  ...clusterSettings,
  file: text('The licence. Default: the Secret latchkey-license of the cluster.').optional(),
  licensePublicKeyFile: text("The vendor's public key, to check the signature with.").optional(),
});

export const whySettings = z.object({
  ...clusterSettings,
  user: argument('The name of the User, or its username. Required.'),
});

export const confirmSettings = z.object({
  ...clusterSettings,
  id: argument('The id of the hold, as the condition Held of the TokenPolicy names it. Required.'),
});

export const hashSettings = z.object({ username: text('Whose account it is. Required.') });

export const callerSettings = z.object({
  ...clusterSettings,
  name: argument('The name of the caller, for example kube-apiserver. Required.').regex(
    CALLER_NAME,
    "must be lower-case letters, digits, '-' and '.', at most 63: write for example kube-apiserver",
  ),
});

/** Any name: what somebody has put into the Secret by hand can be removed, too. */
export const callerRemovalSettings = z.object({
  ...clusterSettings,
  name: argument('The caller whose token is refused from now on. Required.'),
});

export const uninstallSettings = z.object({
  ...clusterSettings,
  deleteNamespaces: yesOrNo('Delete the namespaces that Latchkey has made, with all that is in them.'),
});
