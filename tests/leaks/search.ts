// Looks for secrets in text, however they may have been written down, and also for parts of them.

export interface Secret {
  /** What it is, for the message of a failure: the failure itself must not print it. */
  readonly kind: string;
  readonly value: string;
}

export interface Leak {
  readonly kind: string;
  readonly surface: string;
}

/** A message may quote the beginning of something long, so each piece of this length is looked for. */
const PIECE = 24;

/** Whatever looks like one is one, also where no test has seen it. */
const PATTERNS: readonly (readonly [string, RegExp])[] = [
  ['a JWT', /eyJ[\w-]{10,}\.eyJ[\w-]{10,}/],
  ['a private key as PEM', /-----BEGIN [A-Z ]*PRIVATE KEY/],
  ['a private part of a JWK', /\\?"(?:d|p|q|dp|dq|qi|k)\\?"\s*:\s*\\?"[\w-]{20,}/],
  ['a cookie of a browser', /__Host-latchkey=[^;\s"]{8,}/],
  ['a token of a caller', /lkc_[\w-]{20,}/],
];

/** The ways in which a value is written in logs, addresses, forms, JSON, Secrets and dumps. */
export function spellings(value: string): string[] {
  const shifted = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]).toString('base64');
    // The first and the last characters depend on what stands around it.
    return encoded
      .slice(offset === 0 ? 0 : 4)
      .replace(/=*$/, '')
      .slice(0, -2);
  });
  const base64 = shifted.filter((text) => text.length >= 8);
  return [
    ...new Set([
      value,
      encodeURIComponent(value),
      new URLSearchParams({ x: value }).toString().slice(2),
      JSON.stringify(value).slice(1, -1),
      Buffer.from(value).toString('hex'),
      ...base64,
      ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    ]),
  ];
}

function pieces(text: string): string[] {
  if (text.length <= PIECE * 2) return [text];
  return Array.from({ length: Math.floor(text.length / PIECE) }, (_, at) =>
    text.slice(at * PIECE, (at + 1) * PIECE),
  );
}

/** @returns what was found where, without the secret itself */
export function leaks(surfaces: ReadonlyMap<string, string>, secrets: readonly Secret[]): Leak[] {
  const needles = secrets.flatMap(({ kind, value }) =>
    spellings(value)
      .flatMap(pieces)
      .map((needle) => ({ kind, needle })),
  );
  const found: Leak[] = [];
  for (const [surface, text] of surfaces) {
    const kinds = new Set([
      ...needles.filter(({ needle }) => text.includes(needle)).map(({ kind }) => kind),
      ...PATTERNS.filter(([, pattern]) => pattern.test(text)).map(([kind]) => kind),
    ]);
    for (const kind of kinds) found.push({ kind, surface });
  }
  return found;
}
