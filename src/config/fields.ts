// The kinds of settings: each is given as text, and becomes what the program works with.
import { BlockList, isIP, isIPv6 } from 'node:net';
import ms, { type StringValue } from 'ms';
import { z } from 'zod';
import { DURATION } from '../duration.ts';

export const text = (description: string) =>
  z.string('is required').min(1, 'must not be empty').describe(description);

/** Given by its place after the words of the command, as in `latchkey why ada`, or by its flag. */
export const argument = (description: string) => text(description).meta({ argument: true });

const NOT_HTTPS = 'must be an address that begins with https://';

export const httpsUrl = (description: string) =>
  text(description)
    .regex(/^https:\/\/[^\s/]/, NOT_HTTPS)
    .refine(URL.canParse, NOT_HTTPS);

const NO_DURATION = (example: string) => `must be a duration: write for example ${example}`;

/** A duration such as 15m or 720h. @returns milliseconds */
export const durationText = (description: string, initial: string) =>
  z
    .string()
    .regex(/^[1-9]\d{0,5}(ms|s|m|h|d)$/, NO_DURATION('15m'))
    .default(initial)
    .transform((value) => ms(value as StringValue))
    .describe(`${description} Default ${initial}.`);

/** A duration as the TokenPolicy has them, which knows neither ms nor d. @returns the text */
export const policyDuration = (description: string, initial: string) =>
  text(description).regex(new RegExp(DURATION), NO_DURATION('30m')).default(initial);

export const count = (description: string, initial: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,6}$/, 'must be a whole number above 0')
    .default(String(initial))
    .transform(Number)
    .meta({ description: `${description} Default ${initial}.`, count: true });

/** A moment, as RFC 3339 has it; a date alone is its first moment in UTC. */
export const moment = (description: string) =>
  z
    .string('is required')
    .regex(
      /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d))?$/,
      'must be a date or a time: write for example 2030-12-31 or 2030-12-31T12:00:00Z',
    )
    .transform((value, context) => {
      const date = new Date(value);
      // The engine takes the 31st of February for a day in March.
      if (!Number.isNaN(date.getTime()) && (value.length > 10 || date.toISOString().startsWith(value)))
        return date;
      context.addIssue({ code: 'custom', message: 'there is no such day or time' });
      return z.NEVER;
    })
    .describe(description);

export const yesOrNo = (description: string) =>
  z
    .enum(['true', 'false'], 'must be true or false')
    .default('false')
    .transform((value) => value === 'true')
    .meta({ description: `${description} Default false.`, switch: true });

export const list = (description: string, initial: string) =>
  z
    .string()
    .default(initial)
    .transform((value) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .meta({ description: `${description} Several are separated by commas.`, list: true });

/** host:port, with brackets around an IPv6 address; without a host, every IPv4 address. */
export const listenAddress = (description: string, initial: string) =>
  z
    .string()
    .default(initial)
    .transform((value, context) => {
      const [, ipv6, host, digits] = /^(?:\[([^\]]+)\]|([\w.-]*)):(\d{1,5})$/.exec(value) ?? [];
      const port = Number(digits);
      if (port <= 65_535 && (ipv6 === undefined || isIPv6(ipv6)))
        return { host: ipv6 ?? (host || '0.0.0.0'), port };
      context.addIssue({
        code: 'custom',
        message: 'must be host:port: write for example 0.0.0.0:8443 or [::]:8443',
      });
      return z.NEVER;
    })
    .describe(`${description} Default ${initial}.`);

/** CIDR blocks or single addresses. */
export const networks = (description: string) =>
  list(description, '').transform((blocks, context) => {
    const found = new BlockList();
    for (const block of blocks) {
      const [, address = '', bits] = /^([\da-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(block) ?? [];
      const family = isIP(address);
      const longest = family === 6 ? 128 : 32;
      const length = bits === undefined ? longest : Number(bits);
      if (family === 0 || length > longest) {
        context.addIssue({ code: 'custom', message: 'must be networks: write for example 10.0.0.0/8' });
        return z.NEVER;
      }
      found.addSubnet(address, length, family === 6 ? 'ipv6' : 'ipv4');
    }
    return found;
  });
