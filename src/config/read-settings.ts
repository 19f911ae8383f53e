// Reads the settings of a command from flags, LATCHKEY_* variables and a file, in that order of precedence.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isNativeError } from 'node:util/types';
import { parse } from 'yaml';
import { z } from 'zod';
import { LatchkeyError } from '../errors.ts';

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
  // --all means --all=true, as everywhere.
  const args = argv.map((arg) => (isSwitch(schema, arg) ? `${arg}=true` : arg));
  try {
    return parseArgs({ args, options, allowPositionals: false, strict: true }).values;
  } catch (error) {
    throw new SettingsError(
      'SettingsInvalid',
      `${whatIsWrong(error)}. Run the command with --help for its flags.`,
    );
  }
}

/** What parseArgs says, without the lines that explain it, and without an argument that may be a password. */
function whatIsWrong(error: unknown): string {
  if (!isNativeError(error)) throw error;
  if ('code' in error && error.code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL')
    return 'There is an argument that belongs to no flag';
  return error.message.split(/\.\s/)[0] ?? '';
}

function isSwitch(schema: z.ZodObject, arg: string): boolean {
  const name = Object.keys(schema.shape).find((key) => `--${flagOf(key)}` === arg);
  return name !== undefined && (schema.shape[name] as z.ZodType).meta()?.['switch'] === true;
}

function readFile(file: string, names: readonly string[]): Record<string, unknown> {
  let content: unknown;
  try {
    // Its warnings would go to standard error, and quote the file.
    content = parse(readFileSync(file, 'utf8'), { logLevel: 'error' }) ?? {};
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
  return Object.entries(schema.shape)
    .map(([name, field]) => `  --${flagOf(name)}\n      ${(field as z.ZodType).description ?? ''}`)
    .join('\n');
}
