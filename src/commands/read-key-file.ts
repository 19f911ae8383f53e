// Reads the file of a key for licences that a setting names.
import { flagOf, SettingsError } from '../config/read-settings.ts';
import { LicenseKeyError } from '../license/license-error.ts';
import { readTextFile } from './read-text-file.ts';

/**
 * @param parse throws a LicenseKeyError where the text is no key that can be used
 * @throws {SettingsError} that names the setting and the file
 */
export function readKeyFile<K>(setting: string, file: string, parse: (text: string) => K): K {
  const text = readTextFile(setting, file);
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof LicenseKeyError)) throw cause;
    throw new SettingsError('SettingsInvalid', `--${flagOf(setting)}: ${file}: ${cause.message}`, { cause });
  }
}
