// Reads a file that a setting names.
import { readFileSync } from 'node:fs';
import { flagOf, SettingsError } from '../config/read-settings.ts';

/** @throws {SettingsError} that names the setting */
export function readTextFile(setting: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SettingsError('SettingsInvalid', `--${flagOf(setting)}: ${file} cannot be read`, { cause });
  }
}
