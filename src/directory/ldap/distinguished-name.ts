// Compares distinguished names by what they mean (RFC 4514), not by how they are written.
import { isDeepStrictEqual } from 'node:util';

/**
 * A text that is the same for two spellings of one DN: case, spaces around separators and escapes do not count, nor does
 * the order in a part of several values. That suits the attributes that name people and groups.
 */
export function canonicalDn(dn: string): string {
  return JSON.stringify(partsOf(dn));
}

/** Whether `dn` is `base` or below it; everything is below the empty one. */
export function isWithin(dn: string, base: string): boolean {
  if (base.trim() === '') return true;
  const [parts, of] = [partsOf(dn), partsOf(base)];
  return parts.length >= of.length && isDeepStrictEqual(parts.slice(-of.length), of);
}

function partsOf(dn: string): string[][] {
  return split(dn, ',').map((part) =>
    split(part, '+')
      .map((pair) => {
        const at = pair.indexOf('=');
        const type = pair.slice(0, at).trim().toLowerCase();
        return `${type}=${fold(unescaped(trimmed(pair.slice(at + 1))))}`;
      })
      .toSorted(),
  );
}

/** At separators that no backslash stands before. */
function split(text: string, separator: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') part += text.slice(at, ++at + 1);
    else if (text[at] === separator) {
      parts.push(part);
      part = '';
    } else part += text[at];
  }
  return [...parts, part];
}

/** A space at the end counts where it is escaped. */
function trimmed(value: string): string {
  const text = value.trim();
  return /(^|[^\\])(\\\\)*\\$/.test(text) ? `${text} ` : text;
}

function unescaped(value: string): string {
  return value.replaceAll(/(?:\\[0-9a-f]{2})+|\\(.)/gi, (escaped, character: string | undefined) =>
    character === undefined ? Buffer.from(escaped.replaceAll('\\', ''), 'hex').toString('utf8') : character,
  );
}

function fold(value: string): string {
  return value.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ');
}
