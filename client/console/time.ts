import { html, type Html } from './html.ts';

/** A time, as `2026-11-21 12:00 UTC`. `iso`: ISO 8601; null or the empty string for none. */
export function timeShown(iso: string | null): string {
  return iso === null || iso === '' ? '' : `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}

/** The element of a time; nothing for none. */
export function time(at: Date | string | null): Html {
  if (at === null || at === '') return html``;
  const iso = typeof at === 'string' ? at : at.toISOString();
  return html`<time datetime="${iso}">${timeShown(iso)}</time>`;
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const;

/** A duration in two units at most: `3 h 20 min`, `4.2 s`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)} s`;
  let rest = Math.round(seconds);
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(' ');
}
