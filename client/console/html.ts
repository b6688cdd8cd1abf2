import { html as template, raw } from 'hono/html';
import { sanitize } from '../core/sanitize.ts';

/** Complete HTML: every text in it is escaped. Only {@link html} makes it. */
export interface Html {
  readonly isEscaped: true;
  /** The HTML as text. */
  toString(): string;
}

/** What may stand in a template. Nothing is written for `false`, `null` and `undefined`. */
export type HtmlValue = Html | string | number | false | null | undefined | readonly HtmlValue[];

/**
 * The template of all pages: `` html`<td>${name}</td>` ``. Escapes texts for elements and quoted attributes.
 * Characters that control or reorder text are written as escape sequences such as `\u{202e}`.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  // a promise comes back only for a promise among the values
  return template(strings, ...values.map(shown)) as unknown as Html;
}

/** The text of a style sheet in a `style` element. Throws a `TypeError` for a text that would end it. */
export function styleText(css: string): Html {
  if (css.includes('</')) throw new TypeError('a style sheet must not contain </');
  return raw(css);
}

function shown(value: HtmlValue): unknown {
  if (typeof value === 'string') return sanitize(value);
  return Array.isArray(value) ? value.map((item: HtmlValue) => shown(item)) : value;
}
