// Each happening leaves a line in the log and, where it is worth one, an Event on the right object.
import { describe, expect, test } from '@jest/globals';
import { chronicle } from '../../src/chronicle/chronicle.ts';
import type { Happening } from '../../src/domain/happening.ts';
import type { EventContent, Regarding } from '../../src/kubernetes/events.ts';
import { createLog } from '../../src/log.ts';
import { ada, NOW, policyWith } from '../domain/pictures.ts';

const user = ada();
const CAUSE = { reason: 'SwitchedOff', message: 'Off.' };

function told(happening: Happening) {
  const lines: string[] = [];
  const events: [Regarding, EventContent][] = [];
  const counts: string[] = [];
  const tell = chronicle({
    events: {
      record: (regarding, content) => void events.push([regarding, content]),
      dropped: 0,
      close: () => Promise.resolve(),
    },
    count: (counted) => void counts.push(counted.what),
    log: createLog('info', { write: (line) => void lines.push(line) }),
  });
  tell(happening);
  expect(lines).toHaveLength(1);
  expect(counts).toEqual([happening.what]);
  const { time: _, ...line } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  return { line, events };
}

describe('the audit trail', () => {
  test('names the user, the session and the number of a token that is issued', () => {
    const { line, events } = told({
      what: 'TokenIssued',
      user,
      session: 'session-1',
      jti: 'number-1',
      expiresAt: NOW,
      refresh: false,
      tookMs: 3,
    });
    expect(line).toEqual({
      level: 'info',
      event: 'TokenIssued',
      user: 'ada',
      session: 'session-1',
      jti: 'number-1',
      expiresAt: NOW.toISOString(),
      refresh: false,
      msg: 'token issued',
    });
    expect(events).toEqual([]);
  });

  test('names the number of a token that is revoked, and why', () => {
    const { line } = told({ what: 'TokenRevoked', user, jti: 'number-1', cause: CAUSE });
    expect(line).toEqual({
      level: 'info',
      event: 'TokenRevoked',
      user: 'ada',
      reason: 'SwitchedOff',
      jti: 'number-1',
      msg: 'token revoked',
    });
  });

  test('says of a token of another process that its number is not known, and invents none', () => {
    const { line } = told({ what: 'TokenRevoked', user, jti: undefined, cause: CAUSE });
    expect(line).not.toHaveProperty('jti');
    expect(line['msg']).toContain('not known');
  });

  test.each<[Happening, object]>([
    [
      { what: 'SignIn', outcome: 'Refused', address: '::1' },
      { outcome: 'Refused', address: '::1' },
    ],
    [
      { what: 'SignedIn', user, session: 's', again: true },
      { user: 'ada', session: 's', kept: true },
    ],
    [
      { what: 'SessionEnded', user, session: 's', cause: CAUSE },
      { user: 'ada', session: 's', reason: 'SwitchedOff' },
    ],
    [
      { what: 'OnboardingRefused', policy: policyWith(), username: 'ada', cause: CAUSE },
      { level: 'warn', reason: 'SwitchedOff', username: 'ada', msg: 'Off.' },
    ],
    [
      {
        what: 'OnboardingRefused',
        policy: policyWith(),
        username: 'ada',
        cause: { ...CAUSE, forEveryone: true, fault: true },
        error: new Error('forbidden'),
      },
      { level: 'error', username: 'ada', err: expect.objectContaining({ message: 'forbidden' }) },
    ],
    [
      { what: 'Offboarded', user, namespace: 'home' },
      { user: 'ada', namespace: 'home' },
    ],
    [
      { what: 'EverySessionEnded', policy: policyWith(), cause: CAUSE },
      { level: 'warn', reason: 'SwitchedOff' },
    ],
  ])('has a line for every other happening: %#', (happening, expected) => {
    expect(told(happening).line).toMatchObject({ event: happening.what, ...expected });
  });
});

describe('an Event', () => {
  test('is about the User, by its UID', () => {
    const { events } = told({ what: 'SignedIn', user, session: 's', again: false });
    expect(events).toEqual([
      [
        { apiVersion: 'latchkey.dev/v1alpha1', kind: 'User', name: 'ada', uid: 'uid-ada' },
        expect.objectContaining({ reason: 'SignedIn' }),
      ],
    ]);
  });

  test('is about the TokenPolicy where it concerns everybody', () => {
    const policy = policyWith();
    const { events } = told({ what: 'EverySessionEnded', policy, cause: CAUSE });
    expect(events).toEqual([
      [
        {
          apiVersion: 'latchkey.dev/v1alpha1',
          kind: 'TokenPolicy',
          name: policy.metadata.name,
          uid: policy.metadata.uid,
        },
        expect.objectContaining({ reason: 'EverySessionEnded' }),
      ],
    ]);
  });
});
