// Reads the settings of a command from flags, LATCHKEY_* variables and a file, in that order of precedence.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isNativeError } from 'node:util/types';
import { parse } from 'yaml';
import { z } from 'zod';
import { foreignCode, LatchkeyError } from '../errors.ts';

/** A setting is wrong or missing; the message names each one, and every way to give it. */
export class SettingsError extends LatchkeyError<'SettingsInvalid'> {}

interface Sources {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** externalUrl → external-url */
export const flagOf = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
/** externalUrl → LATCHKEY_EXTERNAL_URL */
export const variableOf = (name: string) => `LATCHKEY_${flagOf(name).replaceAll('-', '_').toUpperCase()}`;

/**
 * Every key of `schema` is a setting: `externalUrl` is the flag --external-url, the variable LATCHKEY_EXTERNAL_URL and
 * the key externalUrl of the YAML file that --config names.
 * @throws {SettingsError} that names every setting that is wrong, and never a value: one may be a password.
 */
export function readSettings<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  { argv, env }: Sources,
): z.infer<z.ZodObject<Shape>> {
  const names = Object.keys(schema.shape);
  const flags = readFlags(schema, argv);
  const file = flags['config'] ?? env[variableOf('config')];
  const given: Record<string, unknown> = file === undefined ? {} : readFile(file, names);
  for (const name of names) {
    const value = flags[flagOf(name)] ?? env[variableOf(name)];
    if (value !== undefined) given[name] = value;
  }
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => {
    const name = String(path[0] ?? '');
    return name === '' ? message : `--${flagOf(name)} (or ${variableOf(name)}): ${message}`;
  });
  throw new SettingsError('SettingsInvalid', problems.join('\n'));
}

function readFlags(schema: z.ZodObject, argv: readonly string[]): Record<string, string | undefined> {
  const names = [...Object.keys(schema.shape), 'config'];
  const options = Object.fromEntries(names.map((name) => [flagOf(name), { type: 'string' as const }]));
  const settings = Object.entries(described(schema));
  const switches = new Set(
    settings.flatMap(([name, setting]) => (setting.switch ? [`--${flagOf(name)}`] : [])),
  );
  // --all means --all=true, as everywhere.
  const args = argv.map((arg) => (switches.has(arg) ? `${arg}=true` : arg));
  const places = settings.flatMap(([name, { argument }]) => (argument ? [name] : []));
  try {
    const allowPositionals = places.length > 0;
    const { values, positionals } = parseArgs({ args, options, allowPositionals, strict: true });
    return { ...values, ...byPlace(places, positionals, values) };
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    throw new SettingsError(
      'SettingsInvalid',
      `${whatIsWrong(error)}. Run the command with --help for its flags.`,
    );
  }
}

/** Gives what stands without a flag to the settings that may stand so, in their order. */
function byPlace(
  places: readonly string[],
  given: readonly string[],
  flags: Readonly<Record<string, unknown>>,
): Record<string, string> {
  if (given.length > places.length)
    throw new SettingsError('SettingsInvalid', 'There are more arguments than the command takes.');
  return Object.fromEntries(
    given.map((value, place) => {
      const flag = flagOf(places[place] ?? '');
      if (flags[flag] !== undefined)
        throw new SettingsError('SettingsInvalid', `--${flag} is given twice: once without its flag.`);
      return [flag, value];
    }),
  );
}

/** What parseArgs says, without the lines that explain it, and without an argument that may be a password. */
function whatIsWrong(error: unknown): string {
  if (!isNativeError(error)) throw error;
  if ('code' in error && error.code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL')
    return 'There is an argument that belongs to no flag';
  return error.message.split(/\.\s/)[0] ?? '';
}

/** What a field of src/config/fields.ts says of itself. */
interface Described {
  readonly description?: string;
  readonly switch?: boolean;
  readonly argument?: boolean;
}

/** By the JSON schema: a default or an optional field hides what was said of the one within. */
function described(schema: z.ZodObject): Readonly<Record<string, Described>> {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return properties as Record<string, Described>;
}

function readFile(file: string, names: readonly string[]): Record<string, unknown> {
  let content: unknown;
  const yaml = readText(file);
  try {
    // Its warnings would go to standard error, and quote the file.
    content = parse(yaml, { logLevel: 'error' }) ?? {};
  } catch {
    throw new SettingsError('SettingsInvalid', `--config: ${file} cannot be read as YAML`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new SettingsError(
      'SettingsInvalid',
      `--config: ${file} has to hold settings, one "name: value" a line`,
    );
  const unknown = Object.keys(content).filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new SettingsError(
      'SettingsInvalid',
      `--config: ${file} has settings that do not exist: ${unknown.join(', ')}`,
    );
  const settings = Object.entries(content).map(([name, value]) => [name, asText(value)] as const);
  const unreadable = settings.filter(([, value]) => value === undefined).map(([name]) => name);
  if (unreadable.length > 0)
    throw new SettingsError(
      'SettingsInvalid',
      `--config: ${file} has settings that are neither a value nor a list of values: ${unreadable.join(', ')}`,
    );
  return Object.fromEntries(settings);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SettingsError('SettingsInvalid', `--config: ${file} cannot be read${foreignCode(error)}`);
  }
}

/** A value of the file as a flag would give it; undefined for what no flag can give: nothing at all, or a map. */
function asText(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const parts = value.map((part) => (Array.isArray(part) ? undefined : asText(part)));
    return parts.includes(undefined) ? undefined : parts.join(',');
  }
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** What --help prints of the flags: each with what it is for. */
export function describeSettings(schema: z.ZodObject): string {
  return Object.entries(described(schema))
    .map(([name, { description = '', argument }]) => {
      const flag = `--${flagOf(name)}`;
      return `  ${argument ? `<${flagOf(name)}> or ${flag}` : flag}\n      ${description}`;
    })
    .join('\n');
}
