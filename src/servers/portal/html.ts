// Writes HTML that cannot be broken out of: every value in a template is escaped unless it is HTML itself.

/** HTML that is safe to send. Only the `html` tag makes it: the private field keeps look-alikes out. */
export class Html {
  readonly #text: string;

  constructor(strings: TemplateStringsArray, values: readonly HtmlValue[]) {
    this.#text = strings.reduce((text, part, index) => text + render(values[index - 1]) + part);
  }

  toString(): string {
    return this.#text;
  }
}

/** undefined, null and false render as nothing, so that `condition && html…` works. */
export type HtmlValue = string | number | Html | undefined | null | false | readonly HtmlValue[];

/** A template of HTML. Put values between tags or inside quoted attributes, never elsewhere. */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  return new Html(strings, values);
}

function render(value: HtmlValue): string {
  if (value === undefined || value === null || value === false) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'object') return value.map(render).join('');
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
