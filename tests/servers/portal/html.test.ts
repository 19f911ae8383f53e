// Values in templates never become markup.
import { describe, expect, test } from '@jest/globals';
import { assert, property, string } from 'fast-check';
import { html } from '../../../src/servers/portal/html.ts';

describe('the html tag', () => {
  test('escapes what could end a text or an attribute', () => {
    expect(html`<p title="${`"><script>`}">${`'&<b>`}</p>`.toString()).toBe(
      '<p title="&#34;&#62;&#60;script&#62;">&#39;&#38;&#60;b&#62;</p>',
    );
  });

  test('leaves no markup in any text, and the text as it was', () => {
    assert(
      property(string({ unit: 'binary' }), (text) => {
        const written = html`${text}`.toString();
        expect(written).not.toMatch(/[<>"']/);
        expect(written.replace(/&#(\d+);/g, (_all, code) => String.fromCharCode(Number(code)))).toBe(text);
      }),
    );
  });

  test('takes HTML as it is, alone and in lists', () => {
    const items = ['a', '<'].map((text) => html`<li>${text}</li>`);
    expect(html`<b>${items[0]}</b>${items}`.toString()).toBe('<b><li>a</li></b><li>a</li><li>&#60;</li>');
  });

  test('writes nothing for what is not there, and zero for zero', () => {
    expect(html`[${undefined}${null}${false}${0}]`.toString()).toBe('[0]');
  });
});
