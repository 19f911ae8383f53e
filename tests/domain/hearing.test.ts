// What the silence of the directory makes of the status of the TokenPolicy, and when it ends every session.
import { describe, expect, test } from '@jest/globals';
import type { PolicyDirectoryStatus, TokenPolicySpec } from '../../src/api/token-policy.ts';
import { decideHearing, hearingCondition } from '../../src/domain/hearing.ts';
import { later, MINUTE_MS, NOW } from './pictures.ts';

const KEEP: TokenPolicySpec['directory'] = { onUnreachable: 'Keep', gracePeriod: '1h' };
const REVOKE: TokenPolicySpec['directory'] = { onUnreachable: 'Revoke', gracePeriod: '1h' };
const NOW_TEXT = '2030-01-01T12:00:00Z';
const SILENT = { askedAt: NOW, isSilent: true };
const HEARD: PolicyDirectoryStatus = { state: 'Reachable', heardAt: NOW_TEXT };
const UNHEARD: PolicyDirectoryStatus = { state: 'Unreachable', heardAt: NOW_TEXT };
const OVER: PolicyDirectoryStatus = { state: 'GracePeriodOver', heardAt: NOW_TEXT };

describe('a directory', () => {
  test('that is not watched is not spoken of', () => {
    expect(decideHearing(OVER, REVOKE, undefined, NOW).status).toBeUndefined();
  });

  test('that answers is noted, and again only after a part of the grace period', () => {
    const hearing = (ms: number) => ({ askedAt: later(ms), isSilent: false });
    expect(decideHearing(undefined, REVOKE, hearing(0), NOW).status).toEqual(HEARD);
    const soon = decideHearing(HEARD, REVOKE, hearing(9 * MINUTE_MS), later(9 * MINUTE_MS));
    expect(soon).toEqual({ status: HEARD, endsSessions: false, lookAgainAt: later(10 * MINUTE_MS) });
    const then = decideHearing(HEARD, REVOKE, hearing(10 * MINUTE_MS), later(10 * MINUTE_MS));
    expect(then.status).toEqual({ state: 'Reachable', heardAt: '2030-01-01T12:10:00Z' });
  });

  test('that was not asked yet leaves everything as it was, however long ago that is', () => {
    for (const old of [HEARD, UNHEARD, OVER, undefined])
      expect(
        decideHearing(old, REVOKE, { askedAt: undefined, isSilent: false }, later(600 * MINUTE_MS)),
      ).toEqual({ status: old, endsSessions: false, lookAgainAt: undefined });
  });
});

describe('a silent directory', () => {
  test('takes nothing from anybody within the grace period', () => {
    expect(decideHearing(HEARD, REVOKE, SILENT, later(59 * MINUTE_MS))).toEqual({
      status: UNHEARD,
      endsSessions: false,
      lookAgainAt: later(60 * MINUTE_MS),
    });
  });

  test('never does where the policy keeps tokens', () => {
    expect(decideHearing(UNHEARD, KEEP, SILENT, later(6_000 * MINUTE_MS))).toEqual({
      status: UNHEARD,
      endsSessions: false,
      lookAgainAt: undefined,
    });
  });

  test('ends every session after the grace period, once', () => {
    const over = later(60 * MINUTE_MS);
    expect(decideHearing(UNHEARD, REVOKE, SILENT, over)).toEqual({
      status: OVER,
      endsSessions: true,
      lookAgainAt: undefined,
    });
    expect(decideHearing(OVER, REVOKE, SILENT, over)).toMatchObject({ status: OVER, endsSessions: false });
  });

  test('uses up its grace over restarts', () => {
    const restarted = { askedAt: undefined, isSilent: true };
    expect(decideHearing(HEARD, REVOKE, restarted, later(59 * MINUTE_MS)).status).toEqual(UNHEARD);
    expect(decideHearing(HEARD, REVOKE, restarted, later(60 * MINUTE_MS)).endsSessions).toBe(true);
  });

  test('is called by what is wrong with it, and says what to do', () => {
    const fault = { fault: 'BindRefused', message: 'Check bindDN and its password.' };
    const hearing = { ...SILENT, fault };
    const { status } = decideHearing(HEARD, KEEP, hearing, NOW);
    expect(status).toEqual({ ...UNHEARD, fault: 'BindRefused' });
    expect(hearingCondition(UNHEARD, KEEP, hearing).message).toMatch(/Check bindDN and its password\.$/);
    expect(hearingCondition(UNHEARD, KEEP, undefined).message).toMatch(/See the log of the leader\.$/);
    expect(decideHearing(status, KEEP, { askedAt: NOW, isSilent: false }, NOW).status).toEqual(HEARD);
  });

  test('is said to end every session, and when, where it will', () => {
    const said = (spec: TokenPolicySpec['directory']) => hearingCondition(UNHEARD, spec, undefined).message;
    expect(said(KEEP)).toContain('who is signed in is left alone. ');
    expect(said(REVOKE)).toContain('left alone until 2030-01-01T13:00:00Z, when every session ends.');
  });

  test('that was never heard has all of its grace', () => {
    const never = { askedAt: undefined, isSilent: true };
    expect(decideHearing(undefined, REVOKE, never, NOW)).toMatchObject({
      status: UNHEARD,
      endsSessions: false,
    });
  });

  test('that is heard again lets people sign in', () => {
    const hearing = { askedAt: later(90 * MINUTE_MS), isSilent: false };
    expect(decideHearing(OVER, REVOKE, hearing, later(90 * MINUTE_MS))).toMatchObject({
      status: { state: 'Reachable' },
      endsSessions: false,
    });
  });
});
