// A User and a policy to begin from, for tests of pure functions.
import type { TokenPolicy } from '../../src/api/token-policy.ts';
import type { User } from '../../src/api/user.ts';

export function sampleUser(
  changes: {
    name?: string;
    uid?: string;
    createdAt?: string;
    spec?: Partial<User['spec']>;
    status?: NonNullable<User['status']>;
    generation?: number;
  } = {},
): User {
  const {
    name = 'ada',
    uid = 'uid-ada',
    createdAt = '2030-01-01T00:00:00Z',
    spec,
    status,
    generation = 1,
  } = changes;
  return {
    metadata: { name, uid, resourceVersion: '1', generation, creationTimestamp: createdAt },
    spec: { role: 'member', disabled: false, ...spec },
    ...(status && { status }),
  };
}

export function samplePolicy(accessToken: Partial<TokenPolicy['spec']['accessToken']> = {}): TokenPolicy {
  return {
    metadata: {
      name: 'cluster',
      uid: 'uid-policy',
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2030-01-01T00:00:00Z',
    },
    spec: {
      enabled: true,
      tokenSource: 'Latchkey',
      accessToken: { ttl: '30m', minRemaining: '10m', audiences: ['latchkey'], ...accessToken },
      directory: { onUnreachable: 'Keep', gracePeriod: '1h' },
    },
    status: { epoch: 'epoch', observedGeneration: 1 },
  };
}
