import { toUSVString } from 'node:util';

/** Control characters but tab and line feed, marks that reorder a line, and invisible tags. */
// oxlint-disable-next-line no-control-regex -- these are the characters that must not get through
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu;

/**
 * Somebody else's text as it may be shown: what would steer a terminal, or hide or reorder text, is written `\u{1b}`. Line
 * ends are line feeds.
 */
export function inert(text: string): string {
  return toUSVString(text)
    .replaceAll('\r\n', '\n')
    .replaceAll(STEERING, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** {@link inert} on one line, as names are shown. */
export function inertLine(text: string): string {
  return inert(text).replaceAll('\n', '\\u{a}').replaceAll('\t', '\\u{9}');
}

/** A JSON value with every text in it made {@link inert}. */
export function inertValue<Value>(value: Value): Value {
  if (typeof value === 'string') return inert(value) as Value;
  if (Array.isArray(value)) return value.map((item: unknown) => inertValue(item)) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inertValue(item as unknown)])) as Value;
}
