// The frame that every page stands in.
import type { AssetPaths } from '../assets.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import { texts } from '../texts.ts';

export interface PageParts {
  readonly title: string;
  readonly main: Html;
  /** stands under the card */
  readonly footer?: Html;
  /** more for `<head>` */
  readonly head?: Html;
}

/** A whole document; `main` brings its own `<main>`. */
export function page(assets: AssetPaths, { title, main, footer, head }: PageParts): string {
  const document = html`<!doctype html>
    <html lang="${texts.language}">
      <head>
        <meta charset="utf-8" />
        <title>${texts.titleOf(title)}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <link rel="icon" type="image/svg+xml" href="${assets.logo}" />
        <link rel="stylesheet" href="${assets.stylesheet}" />
        <script src="${assets.script}" type="module"></script>
        ${head}
      </head>
      <body>
        <header class="brand">
          <img src="${assets.logo}" alt="" width="40" height="40" />
          <span>${texts.product}</span>
        </header>
        ${main} ${footer && html`<footer>${footer}</footer>`}
      </body>
    </html>`;
  return document.toString();
}
