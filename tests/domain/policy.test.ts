import { describe, expect, test } from '@jest/globals';
import type { TokenPolicy, TokenPolicySpec } from '../../src/api/token-policy.ts';
import { decidePolicy } from '../../src/domain/policy.ts';
import type { CannotMint } from '../../src/domain/observed.ts';
import type { Witness } from '../../src/domain/witness.ts';
import { later, MINUTE_MS, NO_LICENSE, NOW, policyWith, verified } from './pictures.ts';

const SKEW: CannotMint = { reason: 'ClockSkew', message: 'The clocks differ.' };

/** The policy as it stands after `generation` was made, with the status that the one before has left. */
function changed(
  spec: Partial<TokenPolicySpec>,
  generation: number,
  before?: TokenPolicy['status'],
): TokenPolicy {
  const { status: _, ...policy } = policyWith(spec, {}, { generation });
  return { ...policy, ...(before && { status: before }) };
}
function taken(policy: TokenPolicy, freshEpoch: string, seen?: Witness, cannotMint?: CannotMint) {
  return decidePolicy(
    { policy, seen, license: NO_LICENSE, hearing: undefined, cannotMint, holds: [], taken: [], freshEpoch },
    NOW,
  ).status;
}
const FIRST = taken(changed({}, 1), 'epoch-1');

describe('a new epoch', () => {
  test('is drawn for a policy that has none', () => {
    expect(FIRST).toMatchObject({ epoch: 'epoch-1', observedGeneration: 1 });
  });

  test('is not drawn while nothing happens', () => {
    expect(taken(changed({}, 1, FIRST), 'epoch-2')).toEqual(FIRST);
  });

  test('is drawn once when the policy is switched off, and not again when it is switched on', () => {
    const off = taken(changed({ enabled: false }, 2, FIRST), 'epoch-2');
    expect(off.epoch).toBe('epoch-2');
    expect(taken(changed({ enabled: false }, 2, off), 'epoch-3')).toEqual(off);
    expect(taken(changed({}, 3, off), 'epoch-4').epoch).toBe('epoch-2');
  });

  test('is drawn each time that the policy is switched off', () => {
    const off = taken(changed({ enabled: false }, 2, FIRST), 'epoch-2');
    const on = taken(changed({}, 3, off), 'epoch-3');
    expect(taken(changed({ enabled: false }, 4, on), 'epoch-4').epoch).toBe('epoch-4');
  });

  test('is drawn when a policy that was off was on for a moment that nobody watched', () => {
    const off = taken(changed({ enabled: false }, 2, FIRST), 'epoch-2');
    expect(taken(changed({ enabled: false }, 4, off), 'epoch-4').epoch).toBe('epoch-4');
  });

  test.each<[string, Witness | undefined]>([
    ['while nobody watched', undefined],
    ['before a list that skipped the change', { generation: 3, openSince: 3 }],
    ['between two looks, and the watch has told of it', { generation: 3, openSince: 3 }],
    ['and the witness has not come as far', { generation: 2, openSince: 1 }],
  ])('is drawn when it may have been off and on %s', (_, seen) => {
    expect(taken(changed({}, 3, FIRST), 'epoch-3', seen).epoch).toBe('epoch-3');
  });

  test.each<[string, number, Witness | undefined]>([
    ['one change, whoever watched', 2, undefined],
    ['many changes that were watched', 5, { generation: 5, openSince: 1 }],
  ])('is not drawn after %s, while the policy stayed on', (_, generation, seen) => {
    const accessToken = { ttl: '20m', minRemaining: '5m', audiences: ['latchkey'] };
    expect(taken(changed({ accessToken }, generation, FIRST), 'epoch-2', seen)).toMatchObject({
      epoch: 'epoch-1',
      observedGeneration: generation,
    });
  });
});

describe('the condition Ready', () => {
  test.each<[string, TokenPolicy, CannotMint | undefined, string, string]>([
    ['tokens are given out', changed({}, 1, FIRST), undefined, 'True', 'Enabled'],
    ['nothing may be minted', changed({}, 1, FIRST), SKEW, 'False', 'ClockSkew'],
    [
      'an admin has switched it off',
      changed({ enabled: false }, 2, FIRST),
      undefined,
      'False',
      'SwitchedOff',
    ],
    [
      'it is off, and nothing may be minted either',
      changed({ enabled: false }, 2, FIRST),
      SKEW,
      'False',
      'SwitchedOff',
    ],
  ])('says so when %s', (_, policy, cannotMint, status, reason) => {
    const { conditions } = taken(policy, 'epoch-2', undefined, cannotMint);
    expect(conditions).toMatchObject([
      { type: 'Ready', status, reason, observedGeneration: policy.metadata.generation },
    ]);
  });

  test('remembers that the policy is off when the clocks differ meanwhile', () => {
    const off = taken(changed({ enabled: false }, 2, FIRST), 'epoch-2');
    const skewed = taken(changed({ enabled: false }, 2, off), 'epoch-3', undefined, SKEW);
    expect(taken(changed({ enabled: false }, 2, skewed), 'epoch-4').epoch).toBe('epoch-2');
  });
});

describe('the licence', () => {
  const at = (ms: number, policy: TokenPolicy, content = verified({ expiresAt: later(60 * MINUTE_MS) })) =>
    decidePolicy(
      {
        policy,
        seen: undefined,
        license: { content, at: later(ms) },
        hearing: undefined,
        cannotMint: undefined,
        holds: [],
        taken: [],
        freshEpoch: `epoch-${ms}`,
      },
      later(ms),
    );
  const good = at(0, changed({}, 1)).status;
  const ended = at(60 * MINUTE_MS, changed({}, 1, good));

  test('is a condition of its own, and says when to look again', () => {
    expect(good.conditions?.map(({ type, status, reason }) => [type, status, reason])).toEqual([
      ['Licensed', 'True', 'LicenseExpiringSoon'],
      ['Ready', 'True', 'Enabled'],
    ]);
    expect(at(1, changed({}, 1, good)).lookAgainAt).toEqual(later(60 * MINUTE_MS));
  });

  test('ends every session once at its end, and says so on the policy and in the log', () => {
    expect(ended.status.epoch).toBe(`epoch-${60 * MINUTE_MS}`);
    expect(ended.happenings).toMatchObject([
      { what: 'License', reason: 'LicenseExpired', isGood: false },
      { what: 'EverySessionEnded', cause: { reason: 'LicenseExpired' } },
    ]);
    expect(ended.status.conditions?.map(({ status, reason }) => [status, reason])).toEqual([
      ['False', 'LicenseExpired'],
      ['False', 'LicenseExpired'],
    ]);
    const again = at(60 * MINUTE_MS + 1, changed({}, 1, ended.status));
    expect(again.status).toEqual(ended.status);
    expect(again.happenings).toEqual([]);
  });

  test('renewed, draws no further epoch', () => {
    const renewed = verified({ expiresAt: later(1e9) }, later(61 * MINUTE_MS));
    const { status } = at(62 * MINUTE_MS, changed({}, 1, ended.status), renewed);
    expect(status.epoch).toBe(ended.status.epoch);
  });

  test('that lapsed while nobody watched ends every session, and says why', () => {
    const late = verified({ expiresAt: later(1e9) }, later(61 * MINUTE_MS));
    const { status, happenings } = at(62 * MINUTE_MS, changed({}, 1, good), late);
    expect(status.epoch).toBe(`epoch-${62 * MINUTE_MS}`);
    expect(happenings).toContainEqual(
      expect.objectContaining({
        what: 'EverySessionEnded',
        cause: expect.objectContaining({ reason: 'LicenseLapsed' }),
      }),
    );
    expect(status.conditions?.find(({ type }) => type === 'Licensed')?.status).toBe('True');
  });

  test('is said to expire 30 days ahead and 7 days ahead, once each', () => {
    const DAY_MS = 24 * 60 * MINUTE_MS;
    const content = verified({ expiresAt: later(40 * DAY_MS) });
    let policy = changed({}, 1);
    const told: unknown[] = [];
    for (let day = 0; day < 41; day++) {
      const decision = at(day * DAY_MS, policy, content);
      told.push(
        ...decision.happenings.map((happening) =>
          'reason' in happening ? [day, happening.reason] : [day, happening.what],
        ),
      );
      policy = changed({}, 1, decision.status);
    }
    expect(told).toEqual([
      [0, 'LicenseValid'],
      [10, 'LicenseExpiring'],
      [33, 'LicenseExpiringSoon'],
      [40, 'LicenseExpired'],
      [40, 'EverySessionEnded'],
    ]);
  });

  test('says nothing any more when none is required', () => {
    const { status } = at(1, changed({}, 1, good), { kind: 'NotRequired' } as never);
    expect(status.conditions?.map(({ type }) => type)).toEqual(['Ready']);
    expect(status.license).toEqual({ state: 'NotRequired' });
  });
});
