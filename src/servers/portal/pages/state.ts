// The page that shows the state of one's access.
import type { AccessState, AccessView } from '../../../sessions/access.ts';
import type { AssetPaths } from '../assets.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import { texts } from '../texts.ts';
import { clockTime, timeLeft } from '../time.ts';
import { icons } from './icons.ts';
import { page } from './layout.ts';

/** How often a page without JavaScript asks again for a token that is not written yet. */
const refreshSeconds = 3;

export function statePage(assets: AssetPaths, view: AccessView, contact: string, now: Date): string {
  const { state } = view;
  const hasAccess = state === 'Active' || state === 'Preparing';
  return page(assets, {
    title: texts.states[state].title,
    ...(state === 'Preparing' && { head: refreshWithoutScript }),
    main: html`<main class="card" data-state="${state}">
      ${status(view, now)} ${state === 'SignedOut' && signInAgain} ${hasAccess && command(view.command)}
      ${signOut(hasAccess)} ${hasAccess && endAccess}
    </main>`,
    footer: html`<p>${texts.state.help(contact)}</p>`,
  });
}

// With JavaScript the page looks by itself, and reloads only once there is something new.
const refreshWithoutScript = html`<noscript
  ><meta http-equiv="refresh" content="${refreshSeconds}"
/></noscript>`;

const signInAgain = html`<p><a class="button primary" href="/sign-in">${texts.state.signInAgain}</a></p>`;

const tones: Record<AccessState, string> = {
  Active: 'good',
  Preparing: 'busy',
  SignedOut: 'idle',
  Blocked: 'bad',
};

function status(view: AccessView, now: Date): Html {
  const words = texts.states[view.state];
  return html`<section class="status">
    <p class="badge ${tones[view.state]}">${icons[view.state]}${words.badge}</p>
    <h1>${words.title}</h1>
    <p class="lead">${view.message ?? words.text}</p>
    <dl>
      <div>
        <dt>${texts.state.user}</dt>
        <dd>
          ${view.displayName ?? view.username}${view.displayName && html` <span class="quiet">(${view.username})</span>`}
        </dd>
      </div>
      <div>
        <dt>${texts.state.namespace}</dt>
        <dd><code>${view.namespace}</code></dd>
      </div>
      ${view.tokenExpiresAt && token(view.tokenExpiresAt, now)}
      ${
        view.reason &&
        html`<div>
          <dt>${texts.state.reason}</dt>
          <dd><code>${view.reason}</code></dd>
        </div>`
      }
    </dl>
  </section>`;
}

function token(expiresAt: Date, now: Date): Html {
  const seconds = Math.floor((expiresAt.getTime() - now.getTime()) / 1000);
  const words = texts.state;
  return html`<div id="token">
    <dt>${words.token}</dt>
    ${
      seconds <= 0
        ? html`<dd>${words.tokenExpired}</dd>`
        : html`<dd>
            ${words.tokenExpires}
            <time datetime="${expiresAt.toISOString()}" data-seconds="${seconds}"
              >${timeLeft(texts.language, seconds)}</time
            >${words.tokenExpiresAt(clockTime(texts.language, expiresAt))}
            <span class="quiet">${words.tokenRenewed}</span>
          </dd>`
    }
  </div>`;
}

function command(line: string): Html {
  const words = texts.command;
  return html`<section aria-labelledby="command-title">
    <h2 id="command-title">${words.title}</h2>
    <p>${words.text}</p>
    <div class="command">
      <pre><code id="command">${line}</code></pre>
      <button
        type="button"
        class="button small"
        data-copy="command"
        data-copied="${words.copied}"
        data-failed="${words.copyFailed}"
        hidden
      >
        ${icons.copy}<span>${words.copy}</span>
      </button>
    </div>
    <p class="quiet" role="status" id="copy-result"></p>
  </section>`;
}

function signOut(hasAccess: boolean): Html {
  const words = texts.signOut;
  return html`<form class="row" method="post" action="/sign-out">
    <button type="submit" class="button secondary">${words.submit}</button>
    <p class="quiet">${hasAccess ? words.textWithAccess : words.text}</p>
  </form>`;
}

const endAccess = html`<details class="danger">
  <summary>${texts.endAccess.summary}</summary>
  <p>${texts.endAccess.text}</p>
  <ul>
    ${texts.endAccess.effects.map((effect) => html`<li>${effect}</li>`)}
  </ul>
  <form method="post" action="/end-access">
    <button type="submit" class="button destructive">${texts.endAccess.submit}</button>
  </form>
</details>`;
