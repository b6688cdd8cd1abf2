/** One bar of a chart. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Tooltip. @default label and value */
  readonly title?: string;
  /** True for a bad value. */
  readonly isBad?: boolean;
}

const HEIGHT = 160;
const WIDTH = 640;
const LABEL_HEIGHT = 34;
/** More labels than this would overlap. */
const MOST_LABELS = 12;

/** A bar chart as SVG, without scripts or external resources. `unit` follows the largest value. */
export function barChart(heading: string, bars: readonly Bar[], unit = ''): string {
  const most = Math.max(0, ...bars.map(({ value }) => value));
  const step = WIDTH / Math.max(bars.length, 1);
  const every = Math.ceil(bars.length / MOST_LABELS);
  const shapes = bars.map(({ label, value, title, isBad }, at) => {
    const height = most === 0 ? 0 : (value / most) * HEIGHT;
    const x = at * step;
    const name =
      at % every === 0
        ? `<text x="${round(x + step / 2)}" y="${HEIGHT + 30}" text-anchor="middle">${escapeHtml(label)}</text>`
        : '';
    return (
      `<g><title>${escapeHtml(title ?? `${label}: ${value}`)}</title>` +
      `<rect class="${isBad ? 'bad' : 'good'}" x="${round(x + step * 0.1)}" y="${round(HEIGHT - height + 14)}" ` +
      `width="${round(step * 0.8)}" height="${round(height)}"/>${name}</g>`
    );
  });
  return (
    `<figure><figcaption>${escapeHtml(heading)}</figcaption>` +
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT + LABEL_HEIGHT}" role="img" aria-label="${escapeHtml(heading)}">` +
    `<text x="0" y="10">${bars.length === 0 ? 'nothing yet' : escapeHtml(`${round(most)}${unit}`)}</text>` +
    `<line x1="0" y1="${HEIGHT + 14}" x2="${WIDTH}" y2="${HEIGHT + 14}"/>${shapes.join('')}</svg></figure>`
  );
}

/** Escapes a text for HTML elements and attributes. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
