// A page that only says something, with one way on.
import type { AssetPaths } from '../assets.ts';
import { html } from '../html.ts';
import type { Notice } from '../texts.ts';
import { page } from './layout.ts';

export interface Link {
  readonly href: string;
  readonly text: string;
}

export function messagePage(assets: AssetPaths, notice: Notice, link: Link): string {
  return page(assets, {
    title: notice.title,
    main: html`<main class="card narrow">
      <h1>${notice.title}</h1>
      <p class="lead">${notice.text}</p>
      <p><a class="button secondary" href="${link.href}">${link.text}</a></p>
    </main>`,
  });
}
