import { describe, expect, test } from 'vitest';
import { fc } from '@fast-check/vitest';
import { html, styleText } from '../../../client/console/html.ts';

describe('templates of pages', () => {
  test('text is escaped in elements and attributes, also in lists', () => {
    const hostile = `"><script>alert('1')</script>&amp;`;
    const escaped = '&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;';
    expect(html`<a title="${hostile}">${[hostile, html`<b>${hostile}</b>`]}</a>`.toString()).toBe(
      `<a title="${escaped}">${escaped}<b>${escaped}</b></a>`,
    );
  });

  test.for([
    ['\u{1b}[31mred', String.raw`\u{1b}[31mred`],
    ['user\u{202e}gpj.exe', String.raw`user\u{202e}gpj.exe`],
    ['a\u0000b', String.raw`a\u{0}b`],
    ['\u{e0041}', String.raw`\u{e0041}`],
    ['שלום 👩‍💻', 'שלום 👩‍💻'],
  ])('characters that control or reorder text are visible: %j', ([text = '', shown]) => {
    expect(html`${text}`.toString()).toBe(shown);
  });

  test('no text can add an element or leave an attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const page = html`<p class="${text}">${text}</p>`.toString();
        expect(page).toMatch(/^<p class="[^"<>]*">[^<>]*<\/p>$/s);
      }),
    );
  });

  test('nothing is written for what is missing', () => {
    expect(html`a${false}${null}${undefined}${[]}${0}`.toString()).toBe('a0');
  });

  test('a style sheet that would end its element is refused', () => {
    expect(() => styleText('a{}</style><script>')).toThrow('must not contain');
  });
});
