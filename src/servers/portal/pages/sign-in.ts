// The page with the sign-in form.
import type { AssetPaths } from '../assets.ts';
import { maxPasswordLength, maxUsernameLength } from '../credentials.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import { texts } from '../texts.ts';
import type { Notice } from '../texts.ts';
import { page } from './layout.ts';
import type { Link } from './message.ts';

/** Why signing in did not work. */
export interface Problem extends Notice {
  /** what was typed is wrong, rather than something else */
  readonly fieldsAreWrong: boolean;
  readonly link?: Link;
  /** for who helps: a stable code */
  readonly reason?: string;
}

export interface SignInPage {
  readonly contact: string;
  /** what was typed last time; the password never comes back */
  readonly username?: string;
  readonly problem?: Problem;
  /** what just happened, when nothing is wrong */
  readonly farewell?: Notice;
}

export function signInPage(assets: AssetPaths, { contact, username, problem, farewell }: SignInPage): string {
  const words = texts.signIn;
  const described = problem && html` aria-describedby="problem"`;
  const invalid = problem?.fieldsAreWrong && html` aria-invalid="true"`;
  // After a refusal the username stands there already.
  const focusPassword = Boolean(username);
  return page(assets, {
    title: problem ? words.problemTitle(words.title) : words.title,
    main: html`<main class="card narrow">
      <h1>${words.title}</h1>
      ${problem ? problemBox(problem) : farewell ? farewellBox(farewell) : html`<p class="lead">${words.lead}</p>`}
      <form method="post" action="/sign-in">
        <label for="username">${words.username}</label>
        <input
          id="username"
          name="username"
          type="text"
          value="${username}"
          required
          maxlength="${maxUsernameLength}"
          autocomplete="username"
          autocapitalize="none"
          autocorrect="off"
          spellcheck="false"
          ${described}${invalid}
          ${!focusPassword && html`autofocus`}
        />
        <label for="password">${words.password}</label>
        <input
          id="password"
          name="password"
          type="password"
          required
          maxlength="${maxPasswordLength}"
          autocomplete="current-password"
          ${described}${invalid}
          ${focusPassword && html`autofocus`}
        />
        <button type="submit" class="button primary">${words.submit}</button>
      </form>
    </main>`,
    footer: html`<p>${words.help(contact)}</p>`,
  });
}

function problemBox({ title, text, link, reason }: Problem): Html {
  return html`<div class="box problem" id="problem" role="alert">
    <h2>${title}</h2>
    <p>${text}</p>
    ${link && html`<p><a href="${link.href}" rel="noreferrer">${link.text}</a></p>`}
    ${reason && html`<p class="reason">${texts.refusals.reason}: <code>${reason}</code></p>`}
  </div>`;
}

function farewellBox({ title, text }: Notice): Html {
  return html`<div class="box news" role="status">
    <h2>${title}</h2>
    <p>${text}</p>
  </div>`;
}
