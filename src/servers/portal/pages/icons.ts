// The pictures beside the words; each word says the same without them.
import type { AccessState } from '../../../sessions/access.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';

function icon(paths: Html): Html {
  return html`<svg
    class="icon"
    viewBox="0 0 16 16"
    width="16"
    height="16"
    fill="none"
    stroke="currentColor"
    stroke-width="1.75"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
    focusable="false"
  >
    ${paths}
  </svg>`;
}

export const icons: Record<AccessState | 'copy', Html> = {
  Active: icon(html`<path d="M3 8.5 6.5 12 13 4.5" />`),
  Preparing: icon(html`<path d="M8 1.75A6.25 6.25 0 1 1 1.75 8" />`),
  SignedOut: icon(html`<path d="M6 2.5H3v11h3M10 5l3 3-3 3M13 8H6" />`),
  Blocked: icon(html`<circle cx="8" cy="8" r="6.25" /><path d="m3.75 3.75 8.5 8.5" />`),
  copy: icon(
    html`<rect x="5.5" y="5.5" width="8.5" height="8.5" rx="2" /><path d="M10.5 2H4a2 2 0 0 0-2 2v6.5" />`,
  ),
};
