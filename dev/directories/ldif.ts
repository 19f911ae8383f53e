// Writes directory entries as LDIF (RFC 2849).

type Value = string | Buffer;

export interface LdapEntry {
  readonly dn: string;
  readonly attributes: Readonly<Record<string, Value | readonly Value[]>>;
}

/** Every value is in base64, so that none needs a look at its characters. */
export function toLdif(entries: readonly LdapEntry[]): string {
  return entries
    .map(({ dn, attributes }) =>
      [
        line('dn', dn),
        ...Object.entries(attributes).flatMap(([name, values]) => lines(name, values)),
        '',
      ].join('\n'),
    )
    .join('\n');
}

function lines(name: string, values: Value | readonly Value[]): string[] {
  return [values].flat().map((value) => line(name, value));
}

function line(name: string, value: Value): string {
  return `${name}:: ${Buffer.from(value).toString('base64')}`;
}
