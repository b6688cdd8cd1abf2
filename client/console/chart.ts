import { html, type Html } from './html.ts';

/** One bar of a chart. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Tooltip. @default label and value */
  readonly title?: string;
  /** True for a bad value. */
  readonly isBad?: boolean;
}

/**
 * A chart of few categories: a line for each, with its name, its bar and its value. It is a table, so it can be read
 * without seeing the bars.
 */
export function barChart(heading: string, bars: readonly Bar[]): Html {
  const most = Math.max(0, ...bars.map(({ value }) => value));
  if (bars.length === 0) return figure(heading, html`<p class="empty">nothing yet</p>`);
  const rows = bars.map(
    ({ label, value, isBad }) =>
      html`<tr>
        <th scope="row">${label}</th>
        <td class="bar">
          <svg aria-hidden="true" width="100%" height="14">
            <rect class="${isBad ? 'bad' : 'good'}" width="${percent(value, most)}" height="14" rx="2" />
          </svg>
        </td>
        <td class="number">${value.toLocaleString('en')}</td>
      </tr>`,
  );
  return figure(
    heading,
    html`<table class="bars" aria-label="${heading}">
      ${rows}
    </table>`,
  );
}

/** Heights of a chart over time, in pixels: widths are percentages, so that texts keep their size on every screen. */
const PLOT = { top: 12, height: 140, axis: 22 };
/** Percentage of the width that is left to the values of the axis. */
const GUTTER = 16;

/**
 * A chart of many values in the order of time, with values at the left axis and the first, middle and last label below.
 * `unit` follows each value: ` s`.
 */
export function timeChart(heading: string, bars: readonly Bar[], unit = ''): Html {
  if (bars.length === 0) return figure(heading, html`<p class="empty">nothing yet</p>`);
  const top = roundedUp(Math.max(0, ...bars.map(({ value }) => value)));
  const step = (100 - GUTTER) / bars.length;
  const yOf = (value: number): number => round(PLOT.top + PLOT.height * (1 - value / top));
  const ticks = [0, top / 2, top].map(
    (value) =>
      html`<line x1="${GUTTER}%" x2="100%" y1="${yOf(value)}" y2="${yOf(value)}" />
        <text x="${GUTTER - 2}%" y="${yOf(value) + 4}" text-anchor="end">${shortNumber(value)}${unit}</text>`,
  );
  const shapes = bars.map(({ label, value, title, isBad }, at) => {
    const y = yOf(value);
    const [x, width, height] = [
      round(GUTTER + step * (at + 0.1)),
      round(step * 0.8),
      round(PLOT.top + PLOT.height - y),
    ];
    return html`<g><title>${title ?? `${label}: ${value}${unit}`}</title><rect class="${isBad ? 'bad' : 'good'}" x="${x}%" y="${y}" width="${width}%" height="${height}"/></g>`;
  });
  const said = `${heading}: ${bars.length} values, the last ${round(bars.at(-1)?.value ?? 0)}${unit}, the largest ${round(Math.max(...bars.map(({ value }) => value)))}${unit}`;
  return figure(
    heading,
    html`<svg role="img" aria-label="${said}" width="100%" height="${PLOT.top + PLOT.height + PLOT.axis}">
      ${ticks}${shapes}${labels(bars, step)}
    </svg>`,
  );
}

/** Labels of the first, the middle and the last bar: more would overlap on a phone. */
function labels(bars: readonly Bar[], step: number): Html[] {
  const last = bars.length - 1;
  const named = [...new Set(last < 2 ? [0, last] : [0, Math.round(last / 2), last])];
  return named.map((at) => {
    const anchor = at === 0 ? 'start' : at === last ? 'end' : 'middle';
    const x = GUTTER + step * (at + (anchor === 'start' ? 0.1 : anchor === 'end' ? 0.9 : 0.5));
    return html`<text x="${round(x)}%" y="${PLOT.top + PLOT.height + 16}" text-anchor="${anchor}">${bars[at]?.label}</text>`;
  });
}

function figure(heading: string, content: Html): Html {
  return html`<figure>
    <figcaption>${heading}</figcaption>
    ${content}
  </figure>`;
}

/** The next of 1, 2, 5, 10, 20, … at or above a value, so that the values of an axis are readable; 1 for 0. */
function roundedUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

function shortNumber(value: number): string {
  return Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(value);
}

function percent(value: number, most: number): string {
  return `${most === 0 ? 0 : round((value / most) * 100)}%`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
