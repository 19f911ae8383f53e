// The two people of the demo, and the passwords that are made up for them.
import { randomInt } from 'node:crypto';

export interface Account {
  readonly username: string;
  readonly displayName: string;
  readonly groups: readonly string[];
  readonly password: string;
}

const SYLLABLES = [
  'ba',
  'di',
  'fo',
  'ge',
  'ku',
  'la',
  'mi',
  'no',
  'pe',
  'ra',
  'su',
  'ti',
  'vo',
  'wa',
  'ze',
  'xi',
];

/** 48 bits that can be read out and typed: nobody reaches the demo but this machine. */
function password(): string {
  const word = () => Array.from({ length: 4 }, () => SYLLABLES[randomInt(SYLLABLES.length)]).join('');
  return [word(), word(), word()].join('-');
}

export function demoAccounts(): Account[] {
  return [
    { username: 'ada', displayName: 'Ada Lovelace', groups: ['analytics'], password: password() },
    { username: 'grace', displayName: 'Grace Hopper', groups: ['compilers'], password: password() },
  ];
}
