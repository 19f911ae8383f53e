// Reads the attributes that a verdict rests on, and notes each that is not what it should be.
import type { Spell, SpellReason, ValueFault } from '../../../domain/standing.ts';
import { textsOf } from '../entry.ts';
import type { Entry } from '../entry.ts';
import { generalizedTime } from '../generalized-time.ts';

/** Far more than a date, a number, a flag or a DN takes. */
const MAX_LENGTH = 1024;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/** Each reader returns undefined where the attribute is not there, and where it is not one readable value. */
export interface Reading {
  flag(attribute: string): boolean | undefined;
  /** Of 64 bits. */
  integer(attribute: string): bigint | undefined;
  text(attribute: string): string | undefined;
  /** A GeneralizedTime, in milliseconds since 1970. */
  time(attribute: string): number | undefined;
  /** Notes that `attribute` should be there, in this form, and is not. */
  unreadable(attribute: string, fault?: ValueFault): void;
  /** Notes a spell; times in milliseconds, where ±Infinity is no bound. */
  spell(reason: SpellReason, bounds?: { readonly from?: number; readonly until?: number }): void;
  readonly spells: readonly Spell[];
}

export function readingOf(entry: Entry): Reading {
  const spells: Spell[] = [];

  function unreadable(attribute: string, fault: ValueFault = 'Malformed'): void {
    if (spells.some((spell) => spell.attribute === attribute)) return;
    spells.push({ reason: 'Unreadable', attribute, fault });
  }

  function text(attribute: string): string | undefined {
    const values = entry.attributes.get(attribute.toLowerCase()) ?? [];
    if (values.length === 0) return undefined;
    const [only] = textsOf(entry, attribute);
    const fault = faultOf(values, only);
    if (fault === undefined) return only;
    unreadable(attribute, fault);
    return undefined;
  }

  function parsed<T>(attribute: string, parse: (value: string) => T | undefined): T | undefined {
    const value = text(attribute);
    if (value === undefined) return undefined;
    const result = parse(value);
    if (result === undefined) unreadable(attribute);
    return result;
  }

  return {
    text,
    flag: (attribute) => parsed(attribute, booleanOf),
    integer: (attribute) => parsed(attribute, integerOf),
    time: (attribute) => parsed(attribute, generalizedTime),
    unreadable,
    spell(reason, { from = -Infinity, until = Infinity } = {}) {
      if (from === Infinity || until === -Infinity) return;
      spells.push({
        reason,
        ...(Number.isFinite(from) && { from }),
        ...(Number.isFinite(until) && { until }),
      });
    },
    spells,
  };
}

function faultOf(values: readonly Buffer[], text: string | undefined): ValueFault | undefined {
  if (values.length > 1) return 'SeveralValues';
  if (text === undefined) return 'Binary';
  if (text.length > MAX_LENGTH) return 'TooLong';
  return text === '' ? 'Malformed' : undefined;
}

/** @returns milliseconds since 1970; undefined where none of `attributes` is there and readable */
export function latestTime(entry: Entry, attributes: readonly string[]): number | undefined {
  const { time } = readingOf(entry);
  const times = attributes.flatMap((attribute) => time(attribute) ?? []);
  return times.length > 0 ? Math.max(...times) : undefined;
}

// 389 DS keeps nsAccountLock as text and writes it in any case.
function booleanOf(value: string): boolean | undefined {
  const folded = value.toLowerCase();
  return folded === 'true' ? true : folded === 'false' ? false : undefined;
}

function integerOf(value: string): bigint | undefined {
  if (!/^-?\d{1,19}$/.test(value)) return undefined;
  const number = BigInt(value);
  return number >= MIN_INT64 && number <= MAX_INT64 ? number : undefined;
}
