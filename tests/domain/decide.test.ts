import { describe, expect, test } from '@jest/globals';
import { FINALIZER } from '../../src/api/names.ts';
import type { User } from '../../src/api/user.ts';
import { decide } from '../../src/domain/decide.ts';
import type { Step } from '../../src/domain/step.ts';
import { hasBegun } from '../../src/domain/losing.ts';
import type { CannotMint, Observed } from '../../src/domain/observed.ts';
import {
  aBinding,
  ada,
  aNamespace,
  aPicture,
  aSecret,
  aSession,
  later,
  MINUTE_MS,
  NOW,
  policyWith,
  writtenToken,
} from './pictures.ts';
import { sampleUser } from './sample.ts';

const SKEW: CannotMint = { reason: 'ClockSkew', message: 'The clocks differ.' };
const ELDER = sampleUser({ name: 'elder', uid: 'uid-elder', createdAt: '2029-01-01T00:00:00Z' });
const HANDED_OVER = aNamespace({ kind: 'handed-over', userUID: undefined });
const GONE = { deletionTimestamp: '2030-01-01T11:00:00Z' };
const NOTHING_YET = { namespace: undefined, secret: undefined, binding: undefined };
const unknown = aSecret({ written: undefined });
const without = aSecret();
const token = (minutes: number, change: object = {}) =>
  aSecret({ written: writtenToken(ada(), policyWith(), minutes * MINUTE_MS, change) });

/** What another process wrote: only the annotations tell. */
const claiming = (minutes: number, change: object = {}) =>
  aSecret({ written: undefined, claimed: token(minutes, change).written?.token });

type Row = readonly [sentence: string, change: Partial<Observed>, ...steps: Step['do'][]];

function tell(about: string, rows: readonly Row[]): void {
  describe(about, () => {
    test.each(rows)('%s', (_, change, ...steps) => {
      expect(decide(aPicture(change), NOW).steps.map((step) => step.do)).toEqual(steps);
    });
  });
}

tell('a new User', [
  [
    'gets a finalizer before anything that it will have to take away',
    { user: ada({ metadata: { finalizers: [] }, status: {} }), ...NOTHING_YET },
    'AddFinalizer',
    'CreateNamespace',
    'CreateSecret',
    'WriteBinding',
  ],
  [
    'gets all that it lacks in a namespace that was handed over, and no namespace',
    { user: ada({ status: {} }), namespace: HANDED_OVER, secret: undefined, binding: undefined },
    'CreateSecret',
    'WriteBinding',
  ],
  [
    'gets it all before the first sign-in and while it is switched off',
    { ...NOTHING_YET, user: ada({ spec: { disabled: true }, status: {} }) },
    'CreateNamespace',
    'CreateSecret',
    'WriteBinding',
  ],
  ['gets nothing where the namespace is taken', { ...NOTHING_YET, namespaceHolder: ELDER }],
]);

tell('a signed-in user', [
  ['is left alone while the token is fresh', { secret: token(25) }],
  ['gets a token into the Secret that has none', { secret: without }, 'WriteToken'],
  ['gets a new token when the old one is due', { secret: token(14) }, 'WriteToken'],
  [
    'gets a new token after a restart, as the old one may have been tampered with',
    { secret: unknown },
    'WriteToken',
  ],
  [
    'gets a new token when the session is another one',
    { secret: token(25, { session: 'session-0' }) },
    'WriteToken',
  ],
  [
    'gets a new token when it would say something else',
    { secret: token(25, { claims: 'old' }) },
    'WriteToken',
  ],
  ['gets a new token when its key was withdrawn', { secret: token(25, { kid: 'key-0' }) }, 'WriteToken'],
  [
    'keeps the token while the signing keys cannot be read',
    { secret: token(25, { kid: 'key-0' }), publishedKeys: undefined },
  ],
  [
    'gets a new token when the old one lives longer than the policy says',
    { secret: token(31) },
    'WriteToken',
  ],
  [
    'gets a new token when somebody has put a finalizer on the Secret',
    { secret: { ...token(25), finalizers: true } },
    'WriteToken',
  ],
  ['keeps a token above the floor while nothing may be minted', { secret: token(11), cannotMint: SKEW }],
  [
    'loses a token at the floor while nothing may be minted',
    { secret: token(10), cannotMint: SKEW },
    'ClearToken',
  ],
  [
    'loses a token that nobody knows while nothing may be minted',
    { secret: unknown, cannotMint: SKEW },
    'ClearToken',
  ],
  [
    'keeps a token that only its annotations tell of while nothing may be minted',
    { secret: claiming(11), cannotMint: SKEW },
  ],
  [
    'gets a new token in the place of one that only its annotations tell of',
    { secret: claiming(25) },
    'WriteToken',
  ],
  [
    'loses a token that only its annotations tell of at its floor while nothing may be minted',
    { secret: claiming(10), cannotMint: SKEW },
    'ClearToken',
  ],
  [
    'loses a token of another session, by its annotations, while nothing may be minted',
    { secret: claiming(25, { session: 'session-0' }), cannotMint: SKEW },
    'ClearToken',
  ],
  [
    'loses a token that says something else, by its annotations, while nothing may be minted',
    { secret: claiming(25, { claims: 'other' }), cannotMint: SKEW },
    'ClearToken',
  ],
  [
    'loses a token that lives longer than the policy says, by its annotations, while nothing may be minted',
    { secret: claiming(31), cannotMint: SKEW },
    'ClearToken',
  ],
  [
    'loses a token with a finalizer, whatever its annotations say, while nothing may be minted',
    { secret: { ...claiming(25), finalizers: true }, cannotMint: SKEW },
    'ClearToken',
  ],
  [
    'waits for a change of the policy to be accounted for',
    { secret: without, policy: policyWith({}, { observedGeneration: 1 }, { generation: 2 }) },
    'ClearToken',
  ],
  [
    'keeps a token that lives longer than the policy says by now, until that change is accounted for',
    {
      secret: token(29),
      policy: policyWith(
        { accessToken: { ttl: '12m', minRemaining: '10m', audiences: ['latchkey'] } },
        { observedGeneration: 1 },
        { generation: 2 },
      ),
    },
  ],
  [
    'keeps such a token after a restart, too, when only its annotations tell of it',
    {
      secret: claiming(29),
      policy: policyWith(
        { accessToken: { ttl: '12m', minRemaining: '10m', audiences: ['latchkey'] } },
        { observedGeneration: 1 },
        { generation: 2 },
      ),
    },
  ],
  ['gets a RoleBinding again', { binding: undefined }, 'WriteBinding'],
  [
    'gets a RoleBinding back that names somebody else',
    { binding: aBinding({ subject: 'eve' }) },
    'WriteBinding',
  ],
  [
    'gets rid of a RoleBinding to another role first',
    { binding: aBinding({ toReaderRole: false }) },
    'DeleteBinding',
  ],
  ['waits for a RoleBinding that is being deleted', { binding: aBinding({ deleting: true }) }],
  ['waits for a Secret that is being deleted', { secret: { ...token(25), deleting: true } }],
  [
    'has a Secret taken away that a finalizer keeps',
    { secret: { ...token(25), deleting: true, finalizers: true } },
    'DeleteSecret',
  ],
  [
    'loses the Secret with a namespace that is being deleted',
    { namespace: aNamespace({ deleting: true }) },
    'DeleteSecret',
  ],
]);

tell('a user without access', [
  [
    'loses the token first, before anything is mended',
    { user: ada({ metadata: { finalizers: [] }, spec: { disabled: true } }), binding: undefined },
    'ClearToken',
    'AddFinalizer',
    'WriteBinding',
  ],
  [
    'loses the token when the session is too old',
    { policy: policyWith({ session: { maxAge: '4h', endOnPasswordChange: false } }) },
    'ClearToken',
  ],
  [
    'is told the new reason in the Secret',
    { user: ada({ spec: { disabled: true } }), secret: without },
    'ClearToken',
  ],
  ['is left alone when the Secret says why', { user: ada({ status: {} }), secret: without }],
  [
    'loses whatever is in a Secret that nobody knows',
    { user: ada({ status: {} }), secret: unknown },
    'ClearToken',
  ],
  [
    'loses the token when the session is of another epoch',
    { policy: policyWith({}, { epoch: 'epoch-2' }) },
    'ClearToken',
  ],
  [
    'loses the Secret where the label of the namespace was taken away',
    { namespace: aNamespace({ kind: 'foreign' }) },
    'DeleteSecret',
    'DeleteBinding',
  ],
  [
    'loses the Secret that an older User has to make anew',
    { namespaceHolder: ELDER, namespace: HANDED_OVER },
    'DeleteSecret',
    'DeleteBinding',
  ],
  [
    'loses what a User that is gone has left in the namespace',
    {
      namespace: aNamespace({ userUID: 'uid-gone' }),
      namespaceOwnerLives: false,
      secret: aSecret({ userUID: 'uid-gone' }),
      binding: undefined,
    },
    'DeleteSecret',
  ],
  [
    'leaves the Secret of the one whom the namespace belongs to',
    {
      namespace: aNamespace({ userUID: 'uid-elder' }),
      secret: aSecret({ userUID: 'uid-elder' }),
      binding: aBinding({ userUID: 'uid-elder' }),
    },
  ],
]);

tell("somebody else's object under our name, in a namespace that was handed over,", [
  [
    'stays, and our RoleBinding no longer lets anybody read it',
    { namespace: HANDED_OVER, secret: aSecret({ userUID: undefined, written: undefined }) },
    'DeleteBinding',
  ],
  [
    'stays, and our Secret goes',
    { namespace: HANDED_OVER, binding: aBinding({ userUID: undefined }) },
    'DeleteSecret',
  ],
  [
    'stays, even when the User is switched off besides',
    {
      user: ada({ spec: { disabled: true } }),
      namespace: HANDED_OVER,
      secret: aSecret({ userUID: undefined, written: undefined, deleting: true, finalizers: true }),
      binding: undefined,
    },
  ],
  [
    'stays when the User goes',
    {
      user: ada({ metadata: GONE }),
      namespace: HANDED_OVER,
      secret: aSecret({ userUID: undefined }),
      binding: aBinding({ userUID: undefined }),
    },
    'RemoveFinalizer',
  ],
]);

tell('offboarding', [
  ['takes the Secret away first', { user: ada({ metadata: GONE }) }, 'DeleteSecret'],
  ['waits until the Secret is gone', { user: ada({ metadata: GONE }), secret: aSecret({ deleting: true }) }],
  [
    'does not wait for a finalizer on the Secret',
    { user: ada({ metadata: GONE }), secret: aSecret({ deleting: true, finalizers: true }) },
    'DeleteSecret',
  ],
  [
    'deletes the namespace when the Secret is gone',
    { user: ada({ metadata: GONE }), secret: undefined },
    'DeleteNamespace',
  ],
  [
    'waits until the namespace is gone',
    { user: ada({ metadata: GONE }), secret: undefined, namespace: aNamespace({ deleting: true }) },
  ],
  ['lets the User go at last', { user: ada({ metadata: GONE }), ...NOTHING_YET }, 'RemoveFinalizer'],
  [
    'takes both back from a namespace that was handed over, and leaves it',
    { user: ada({ metadata: GONE }), namespace: HANDED_OVER },
    'DeleteSecret',
    'DeleteBinding',
  ],
  [
    'lets the User go and leaves the namespace that was handed over',
    { user: ada({ metadata: GONE }), namespace: HANDED_OVER, secret: undefined, binding: undefined },
    'RemoveFinalizer',
  ],
  [
    'takes the token even where somebody else keeps the User and our finalizer was taken away',
    { user: ada({ metadata: { ...GONE, finalizers: ['example.org/audit'] } }) },
    'DeleteSecret',
  ],
  [
    'leaves the rest to the end of such a User',
    { user: ada({ metadata: { ...GONE, finalizers: ['example.org/audit'] } }), secret: undefined },
  ],
]);

const HELD = { cause: 'Deleting', permission: { given: false, hold: 'k7mx2q' } } as const;
const UNDECIDED = { cause: 'Deleting', permission: undefined } as const;
const deleted = (status?: User['status']) => ada({ metadata: GONE, ...(status && { status }) });

tell('a User that is being deleted, and held', [
  ['keeps all that it has', { user: deleted(), losing: HELD }],
  ['has its token kept fresh', { user: deleted(), losing: HELD, secret: token(10) }, 'WriteToken'],
  ['gets nothing that it has not', { user: deleted(), losing: HELD, ...NOTHING_YET }],
  [
    'gets no finalizer, which the API server would refuse',
    { user: ada({ metadata: { ...GONE, finalizers: ['example.org/audit'] } }), losing: HELD },
  ],
  [
    'loses its token when it is switched off',
    { user: ada({ metadata: GONE, spec: { disabled: true } }), losing: HELD },
    'ClearToken',
  ],
]);

tell('a User that is being deleted, before anything is decided', [
  ['keeps all that it has', { user: deleted(), losing: UNDECIDED }],
  ['gets no new token', { user: deleted(), losing: UNDECIDED, secret: token(11) }],
  ['loses the old one at its floor', { user: deleted(), losing: UNDECIDED, secret: token(9) }, 'ClearToken'],
  ['gets nothing that it has not', { user: deleted(), losing: UNDECIDED, ...NOTHING_YET }],
]);

describe('a held User', () => {
  const { status, statusFirst } = decide(aPicture({ user: deleted(), losing: HELD }), NOW);

  test('has its session, and says by which command it may be let go', () => {
    expect(statusFirst).toBe(false);
    expect(status).toMatchObject({ phase: 'Active', hold: 'k7mx2q', session: { id: 'session-1' } });
    expect(status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'True',
      reason: 'Held',
      message: expect.stringContaining('latchkey confirm k7mx2q'),
    });
  });

  test('that is let go says so before anything is taken away, and names no hold any more', () => {
    const { status: next, statusFirst: first } = decide(aPicture({ user: deleted(status) }), NOW);
    expect(first).toBe(true);
    expect(next).toMatchObject({ phase: 'Terminating' });
    expect(next.hold).toBeUndefined();
    expect(next.session).toBeUndefined();
    expect(hasBegun(deleted(next))).toBe(true);
    expect(decide(aPicture({ user: deleted(next) }), NOW).statusFirst).toBe(false);
  });
});

describe('it is looked at again', () => {
  test('when the token is due', () => {
    const { lookAgainAt } = decide(aPicture({ secret: token(30) }), NOW);
    expect(lookAgainAt && lookAgainAt > later(9 * MINUTE_MS) && lookAgainAt < later(15 * MINUTE_MS)).toBe(
      true,
    );
  });

  test('at the floor while nothing may be minted', () => {
    const { lookAgainAt } = decide(aPicture({ secret: token(11), cannotMint: SKEW }), NOW);
    expect(lookAgainAt).toEqual(later(MINUTE_MS - 5_000));
  });

  test('only when something changes, where there is no token', () => {
    expect(decide(aPicture({ user: ada({ status: {} }), secret: without }), NOW).lookAgainAt).toBeUndefined();
  });
});

describe('the status is written before the token goes', () => {
  test.each<[boolean, string, Partial<Observed>]>([
    [true, 'one User is switched off', { user: ada({ spec: { disabled: true } }) }],
    [true, 'one User is deleted', { user: ada({ metadata: GONE }) }],
    [true, 'a change was not watched', { user: ada({ metadata: { generation: 3 } }), seen: undefined }],
    [true, 'it came out of a backup', { user: ada({ status: { session: aSession({ userUID: 'old' }) } }) }],
    [false, 'the policy ends every session', { policy: policyWith({ enabled: false }) }],
    [false, 'a new epoch ends every session', { policy: policyWith({}, { epoch: 'epoch-2' }) }],
    [false, 'there is no session to end', { user: ada({ spec: { disabled: true }, status: {} }) }],
    [false, 'the session goes on', {}],
  ])('%s: %s', (first, _, change) => {
    expect(decide(aPicture(change), NOW).statusFirst).toBe(first);
  });
});

test('what a token is minted for is what the session, the User and the policy say', () => {
  const user = ada({ spec: { groups: ['analytics'] }, metadata: { finalizers: [FINALIZER] } });
  const [step] = decide(aPicture({ user, secret: without }), NOW).steps;
  expect(step).toMatchObject({
    do: 'WriteToken',
    session: 'session-1',
    claims: { sub: 'uid-ada', sid: 'session-1', aud: ['latchkey'], groups: ['analytics'] },
  });
});

describe('a session that ends by the word of the policy', () => {
  const ages = policyWith({ session: { maxAge: '5h', endOnPasswordChange: false } });

  test('is looked at when it becomes too old, and says why it has ended', () => {
    expect(decide(aPicture({ policy: ages, secret: token(60) }), NOW).lookAgainAt).toEqual(expect.any(Date));
    const soon = policyWith({ session: { maxAge: '241m', endOnPasswordChange: false } });
    expect(decide(aPicture({ policy: soon }), NOW).lookAgainAt).toEqual(later(MINUTE_MS));
    const ended = decide(aPicture({ policy: ages }), later(60 * MINUTE_MS));
    expect(ended).toMatchObject({ statusFirst: true, cause: { reason: 'SessionTooOld' } });
    expect(ended.status.session).toBeUndefined();
  });

  const changed = {
    policy: policyWith({ session: { endOnPasswordChange: true } }),
    directory: {
      finding: { state: 'Found', spells: [], passwordChangedAt: NOW.getTime() },
      askedAt: NOW,
    },
  } as const;

  test('ends when the password was changed', () => {
    const ended = decide(aPicture(changed), NOW);
    expect(ended).toMatchObject({ statusFirst: true, cause: { reason: 'PasswordChanged' } });
    expect(ended.status.session).toBeUndefined();
    expect(decide(aPicture({ ...changed, policy: policyWith() }), NOW).status.session).toBeDefined();
  });

  test('does not end before that has been counted, in case everybody has a new password at once', () => {
    const waits = decide(aPicture({ ...changed, mayEndSession: undefined }), NOW);
    expect(waits).toMatchObject({ asksPermission: true, status: { session: aSession() } });
    const held = decide(aPicture({ ...changed, mayEndSession: { given: false, hold: 'k7mx2q' } }), NOW);
    expect(held.status).toMatchObject({ session: aSession(), hold: 'k7mx2q' });
  });
});
