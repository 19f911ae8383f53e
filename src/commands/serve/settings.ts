// The start-up settings of `latchkey serve`, checked as one object before anything starts.
import { z } from 'zod';
import {
  count,
  durationText,
  httpsUrl,
  list,
  listenAddress,
  networks,
  policyDuration,
  text,
  yesOrNo,
} from '../../config/fields.ts';
import { DIALECT_NAMES } from '../../directory/ldap/dialects/dialect.ts';
import { clusterSettings } from '../cluster-settings.ts';
import { secretName } from '../object-names.ts';

export const serveSettings = z
  .object({
    ...clusterSettings,
    externalUrl: httpsUrl(
      'Where people reach the portal, for example https://latchkey.example.org. Required.',
    ),
    issuerUrl: httpsUrl('The "iss" of every token; verifiers fetch the keys below it. HTTPS. Required.'),
    listenAddress: listenAddress('Where to listen for HTTPS.', '0.0.0.0:8443'),
    metricsListenAddress: listenAddress('Where to serve /metrics, over plain HTTP.', '0.0.0.0:9402'),
    tlsCertFile: text(
      'The certificate of the HTTPS server, as PEM; read again when it changes. Default: one that Latchkey makes.',
    ).optional(),
    tlsKeyFile: text('Its private key, as PEM.').optional(),
    serviceName: text('The Service in front of it, which the certificate that it makes is for.').default(
      'latchkey',
    ),
    trustedProxies: networks('Networks of proxies whose X-Forwarded-For is believed.'),
    contact: text('Whom people without access are told to ask.').default('an administrator of this cluster'),
    passwordChangeUrl: httpsUrl('Where people change an expired password. HTTPS.').optional(),

    directory: z
      .enum(['local', 'ldap'], 'must be local or ldap')
      .default('local')
      .describe('Where passwords are checked: local (accounts in a Secret) or ldap. Default local.'),
    localAccountsSecret: secretName(
      "The Secret in Latchkey's namespace whose key accounts holds the local accounts.",
    ).default('latchkey-local-accounts'),
    ldapUrl: text(
      'For example ldaps://ldap.example.org, or ldap:// with --ldap-start-tls=true. Several are separated by commas.',
    ).optional(),
    ldapStartTls: yesOrNo('Whether to begin in the clear and switch to TLS before anything is said.'),
    ldapCaFile: text("The CA of the directory's certificate, as PEM. Default: the public ones.").optional(),
    ldapBindDn: text('The account that searches for users.').optional(),
    ldapBindSecret: secretName(
      "The Secret in Latchkey's namespace whose key password is that account's.",
    ).default('latchkey-ldap-bind'),
    ldapBaseDn: text('Where users are searched, for example ou=people,dc=example,dc=org.').optional(),
    ldapUserFilter: text('Finds a user; {username} stands for what was typed.').default('(uid={username})'),

    ldapDialect: z
      .enum(['auto', ...DIALECT_NAMES], `must be auto, ${DIALECT_NAMES.join(', ')}`)
      .default('auto')
      .describe(
        `How accounts are disabled there: ${DIALECT_NAMES.join(', ')}, or auto (what the directory says of itself). Default auto.`,
      ),
    ldapInactiveFilter: text('Whoever it finds counts as inactive, too: (employeeType=left).').optional(),

    namespacePodSecurity: z
      .enum(['restricted', 'baseline', 'privileged'], 'must be restricted, baseline or privileged')
      .default('restricted')
      .describe('The Pod security standard that namespaces made for Users enforce. Default restricted.'),

    orphanGracePeriod: durationText(
      'How long a namespace stays whose User is gone without having been offboarded, as in the middle of a restore.',
      '1h',
    ),

    directoryPollInterval: durationText('How often the directory is asked what has changed.', '1s'),
    directorySweepInterval: durationText('How often it is asked about everybody.', '1m'),

    signInAttemptsPerUser: count(
      "Wrong passwords per user and window; less than the directory's own lockout.",
      4,
    ),
    signInAttemptsPerAddress: count('Wrong passwords per address and window.', 30),
    signInWindow: durationText('How long wrong passwords count.', '15m'),

    tokenTtl: policyDuration('spec.accessToken.ttl of the TokenPolicy, if there is none yet.', '30m'),
    tokenMinRemaining: policyDuration('spec.accessToken.minRemaining of that TokenPolicy.', '10m'),
    tokenAudiences: list('spec.accessToken.audiences of that TokenPolicy. Default latchkey.', 'latchkey'),
    tokenReviewPrefix: text('What stands before every username and group in a TokenReview. Default latchkey:')
      .regex(
        /^[a-z0-9][a-z0-9.-]{0,62}:$/,
        "must end in ':', which no username has: write for example latchkey:",
      )
      .refine((prefix) => prefix !== 'system:', "must not be Kubernetes' own: write for example latchkey:")
      .default('latchkey:'),
    apiServerAudience: text(
      'Whom a token has to be for where a TokenReview names no audience: the --api-audiences of the kube-apiserver.',
    ).default('https://kubernetes.default.svc.cluster.local'),
    licensePublicKeyFile: text(
      "The vendor's public key, as PEM or JWK Set: a licence in the Secret latchkey-license is required. Default: none is.",
    ).optional(),
    keyRotationInterval: durationText('How long a signing key is used.', '720h'),
    leaseDuration: durationText('How long the other replicas wait for a leader that is silent.', '15s'),
    logLevel: z
      .enum(['debug', 'info', 'warn', 'error'], 'must be debug, info, warn or error')
      .default('info')
      .describe('debug, info, warn or error. Default info.'),
  })
  .check((context) => {
    const { tlsCertFile, tlsKeyFile } = context.value;
    if ((tlsCertFile === undefined) === (tlsKeyFile === undefined)) return;
    context.issues.push({
      code: 'custom',
      input: tlsCertFile,
      path: ['tlsCertFile'],
      message: 'goes with --tls-key-file: give both, or neither',
    });
  })
  .check((context) => {
    const { directory, ldapUrl, ldapBaseDn } = context.value;
    if (directory !== 'ldap') return;
    for (const [name, value] of Object.entries({ ldapUrl, ldapBaseDn })) {
      if (value === undefined)
        context.issues.push({
          code: 'custom',
          input: value,
          path: [name],
          message: 'is required with --directory=ldap',
        });
    }
  });

export type ServeSettings = z.infer<typeof serveSettings>;
