// What is said of a happening on the object itself, and what is left unsaid.
import { describe, expect, test } from '@jest/globals';
import { announcement, type Happening } from '../../src/domain/happening.ts';
import { ada, NOW, policyWith } from './pictures.ts';

const user = ada();
const OFF = { reason: 'SwitchedOff', message: 'An admin has switched this User off.' };

describe('on the object is said', () => {
  test.each<[Happening, object]>([
    [
      { what: 'SignedIn', user, session: 's', again: false },
      { type: 'Normal', reason: 'SignedIn', note: 'Signed in; a session has begun.' },
    ],
    [
      { what: 'SignedIn', user, session: 's', again: true },
      { type: 'Normal', reason: 'SignedIn', note: expect.stringContaining('the session goes on') },
    ],
    [
      { what: 'SessionEnded', user, session: 's', cause: OFF },
      {
        type: 'Normal',
        reason: 'SessionEnded',
        note: 'The session has ended (SwitchedOff). An admin has switched this User off.',
      },
    ],
    [
      { what: 'TokenRevoked', user, jti: 'n', cause: OFF },
      {
        type: 'Normal',
        reason: 'TokenRevoked',
        note: 'The token has left the Secret access-token (SwitchedOff). An admin has switched this User off.',
      },
    ],
    [
      {
        what: 'TokenRevoked',
        user,
        jti: 'n',
        cause: { reason: 'ClockSkew', message: 'Set the clocks.', fault: true },
      },
      { type: 'Warning', reason: 'TokenRevoked', note: expect.stringContaining('ClockSkew') },
    ],
    [
      {
        what: 'OnboardingRefused',
        policy: policyWith(),
        username: 'ada',
        cause: { reason: 'NameTaken', message: 'The name is taken.' },
      },
      {
        type: 'Warning',
        reason: 'OnboardingRefused',
        note: 'The username ada has signed in, and no User was made (NameTaken). The portal says: The name is taken.',
      },
    ],
    [
      {
        what: 'OnboardingRefused',
        policy: policyWith(),
        username: 'ada',
        cause: { reason: 'OnboardingFull', message: 'Full.', forEveryone: true },
      },
      { type: 'Warning', note: expect.not.stringContaining('ada') },
    ],
    [
      { what: 'Offboarded', user, namespace: 'ada' },
      { type: 'Normal', reason: 'Offboarded', note: 'Offboarded from the namespace ada.' },
    ],
    [
      {
        what: 'License',
        policy: policyWith(),
        isGood: true,
        reason: 'LicenseExpiring',
        message: 'It ends soon.',
      },
      { type: 'Warning', reason: 'LicenseExpiring', note: 'It ends soon.' },
    ],
    [
      { what: 'License', policy: policyWith(), isGood: true, reason: 'LicenseValid', message: 'It is good.' },
      { type: 'Normal', reason: 'LicenseValid', note: 'It is good.' },
    ],
    [
      { what: 'EverySessionEnded', policy: policyWith(), cause: OFF },
      { type: 'Warning', reason: 'EverySessionEnded', note: expect.stringContaining('SwitchedOff') },
    ],
  ])('%#', (happening, expected) => {
    expect(announcement(happening)).toMatchObject(expected);
  });
});

describe('nothing is said on the object', () => {
  test.each<[string, Happening]>([
    [
      'of a refresh',
      { what: 'TokenIssued', user, session: 's', jti: 'n', expiresAt: NOW, refresh: true, tookMs: 3 },
    ],
    [
      'of an attempt to sign in, which may be a stranger’s',
      { what: 'SignIn', outcome: 'Refused', address: '::1' },
    ],
    [
      'of one user’s session where everybody’s has ended',
      { what: 'SessionEnded', user, session: 's', cause: { ...OFF, forEveryone: true } },
    ],
    [
      'of one user’s token where everybody’s has gone',
      { what: 'TokenRevoked', user, jti: 'n', cause: { ...OFF, forEveryone: true } },
    ],
  ])('%s', (_, happening) => {
    expect(announcement(happening)).toBeUndefined();
  });
});
