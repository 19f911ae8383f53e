// Ada's Secret as the cache has it; without a token, unless a test says otherwise.
import type { CachedSecret } from '../../../src/observation/views.ts';

export const cachedSecret = (change: Partial<CachedSecret> = {}): CachedSecret => ({
  name: 'access-token',
  namespace: 'ada',
  uid: 'uid-secret',
  resourceVersion: '7',
  userUID: 'uid-ada',
  finalizers: false,
  deleting: false,
  claimedExpiry: undefined,
  userName: 'ada',
  ...change,
});
