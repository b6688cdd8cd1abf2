import { html, type Html, type HtmlValue } from './html.ts';

/** What a status means for people, and so its colour. */
export type Tone = 'good' | 'bad' | 'busy' | 'quiet';

/** A status as text with a colour. */
export function badge(text: string, tone: Tone): Html {
  return html`<span class="badge ${tone}">${text}</span>`;
}

/** A cell of a table: its content, and whether it is a number. */
export type Cell = HtmlValue | { readonly number: number };

/** A table. */
export interface Table {
  /** What it lists, for people who do not see it. */
  readonly caption: string;
  readonly head: readonly string[];
  /** The first cell of a row names it. */
  readonly rows: readonly (readonly Cell[])[];
  /** What to say when it has no rows. */
  readonly empty: HtmlValue;
}

/**
 * A table with a heading for each column. On a narrow screen every row is a block, and every cell has the name of its
 * column before it; the roles keep it a table for people who hear it.
 */
export function table({ caption, head, rows, empty }: Table): Html {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`;
  const columns = head.map(
    (name, at) =>
      html`<th role="columnheader" scope="col"${isNumber(rows[0]?.[at]) && html` class="number"`}>${name}</th>`,
  );
  return html`<table role="table" aria-label="${caption}">
    <thead role="rowgroup">
      <tr role="row">
        ${columns}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map((row) => html`<tr role="row">${row.map((cell, at) => cellHtml(cell, at, head[at] ?? ''))}</tr>\n`)}
    </tbody>
  </table>`;
}

function cellHtml(cell: Cell, at: number, column: string): Html {
  const content = isNumber(cell) ? cell.number.toLocaleString('en') : cell;
  const kind = isNumber(cell) && html` class="number"`;
  return at === 0
    ? html`<th role="rowheader" scope="row"${kind}><bdi>${content}</bdi></th>`
    : html`<td role="cell" data-column="${column}"${kind}><bdi>${content}</bdi></td>`;
}

function isNumber(cell: Cell): cell is { readonly number: number } {
  return typeof cell === 'object' && cell !== null && 'number' in cell;
}

/** Facts about one thing: terms and their values. Facts without a value are left out. */
export function facts(list: readonly (readonly [term: string, value: HtmlValue])[]): Html {
  const known = list.filter(([, value]) => value !== '' && value !== null && value !== undefined && value !== false);
  return html`<dl class="facts">
    ${known.map(
      ([term, value]) =>
        html`<div>
          <dt>${term}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

/** A message about something that is not as it should be. */
export function notice(tone: Tone, heading: string, ...lines: readonly HtmlValue[]): Html {
  return html`<section class="notice ${tone}">
    <h2>${heading}</h2>
    ${lines.filter((line) => line !== '' && line !== null).map((line) => html`<p>${line}</p>`)}
  </section>`;
}

/** How far something is: a bar, and the numbers as text. Only the text while the total is unknown. */
export function progressBar(done: number, total: number, unit: string): Html {
  const text = total > 0 ? `${done.toLocaleString('en')} of ${total.toLocaleString('en')} ${unit}` : '';
  if (total <= 0) return html`<span>${done > 0 ? `${done.toLocaleString('en')} ${unit}` : ''}</span>`;
  return html`<progress max="${total}" value="${Math.min(done, total)}" aria-label="${text}"></progress>
    <span>${text}</span>`;
}

/** A link. `path` is of this host; its variable parts must be percent-encoded. */
export function link(path: string, text: HtmlValue): Html {
  return html`<a href="${path}">${text}</a>`;
}

/** A path with a query; parameters without a value are left out. */
export function pathWith(path: string, query: Readonly<Record<string, string | null>>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== null && pair[1] !== '');
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

/** Links to the pages before and after this one of a long list; null where there is none. */
export function pager(
  name: string,
  { newer, older }: { readonly newer: string | null; readonly older: string | null },
): Html {
  if (newer === null && older === null) return html``;
  return html`<nav class="pager" aria-label="${name}">
    ${newer !== null && html`<a href="${newer}" rel="prev">Previous page</a>`}
    ${older !== null && html`<a href="${older}" rel="next">Next page</a>`}
  </nav>`;
}

/** The {@link pager} of a list whose pages are numbered from 1. `pages`: how many there are; it may be a fraction. */
export function numberedPager(
  name: string,
  path: string,
  query: Readonly<Record<string, string | null>>,
  page: number,
  pages: number,
  parameter = 'page',
): Html {
  const to = (number: number): string =>
    pathWith(path, { ...query, [parameter]: number === 1 ? null : String(number) });
  return pager(name, { newer: page > 1 ? to(page - 1) : null, older: page < pages ? to(page + 1) : null });
}

/** A choice among links, the current one marked. */
export function choice(
  name: string,
  links: readonly { readonly text: string; readonly path: string; readonly isCurrent: boolean }[],
): Html {
  return html`<nav class="choice" aria-label="${name}">
    ${links.map(
      ({ text, path, isCurrent }) => html`<a href="${path}"${isCurrent && html` aria-current="true"`}>${text}</a> `,
    )}
  </nav>`;
}

/** A field of a form with its label. */
export function field(
  name: string,
  label: string,
  {
    value = '',
    type = 'text',
    hint,
  }: { readonly value?: string; readonly type?: 'text' | 'search'; readonly hint?: string } = {},
): Html {
  const placeholder = hint !== undefined && html` placeholder="${hint}"`;
  return html`<label class="field"><span>${label}</span>
    <input type="${type}" name="${name}" value="${value}"${placeholder} maxlength="1000" autocomplete="off"></label>`;
}
