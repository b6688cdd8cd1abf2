import { toUSVString } from 'node:util';

/** Control characters other than tab and line feed, characters that reorder a line, and invisible tag characters. */
const CONTROLLING = String.raw`\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}`;
/**
 * Characters without width: marks of direction, joiners, line separators, byte order marks. They occur in legitimate
 * text and code.
 */
const INVISIBLE = String.raw`\u061c\u200b-\u200f\u2028\u2029\u2060-\u2065\ufeff`;
const IN_TEXT = new RegExp(`[${CONTROLLING}]`, 'gu');
/** In a name also tabs, line ends and lone surrogates, and the beginning of an escape sequence itself. */
const IN_NAME = new RegExp(String.raw`[${CONTROLLING}\t\n\ud800-\udfff]|\\(?=u\{)`, 'gu');
const ON_TERMINAL = new RegExp(String.raw`[${CONTROLLING}${INVISIBLE}\n]`, 'gu');
const ESCAPE = /\\u\{([0-9a-f]{1,6})\}/g;

/**
 * Foreign text for a person at a terminal, on one line. Control characters, and invisible characters that could
 * disguise text, become U+FFFD; a tab becomes four spaces.
 */
export function printable(text: string): string {
  return text.replaceAll('\t', '    ').replaceAll(ON_TERMINAL, '\u{fffd}');
}

/**
 * Foreign text for an agent, which may use it again, such as code. Only characters that control a terminal, or that
 * reorder or hide text, are written as escape sequences such as `\u{1b}`. Line ends become line feeds.
 */
export function sanitize(text: string): string {
  return toUSVString(text).replaceAll('\r\n', '\n').replaceAll(IN_TEXT, escapeSequence);
}

/**
 * A name (a path, a branch, a repository id) for an agent, on one line. Different names are shown differently, and
 * {@link nameShownAs} restores the name.
 */
export function sanitizeName(name: string): string {
  return name.replaceAll(IN_NAME, escapeSequence);
}

/** The name that {@link sanitizeName} shows as `shown`. Text without escape sequences is returned unchanged. */
export function nameShownAs(shown: string): string {
  return shown.replaceAll(ESCAPE, (sequence, code: string) => {
    const point = Number.parseInt(code, 16);
    if (point > 0x10ffff) return sequence;
    const character = String.fromCodePoint(point);
    // only a sequence that `sanitizeName` writes: any other is part of the name
    return character === '\\' || sanitizeName(character) === sequence ? character : sequence;
  });
}

/** {@link sanitize} on one line, for messages that contain foreign text. */
export function sanitizeLine(text: string): string {
  return sanitize(text).replaceAll('\n', '\\u{a}').replaceAll('\t', '\\u{9}');
}

/** A JSON value with every string sanitized. Sanitized names stay unchanged. */
export function sanitizeValue<Value>(value: Value): Value {
  if (typeof value === 'string') return sanitize(value) as Value;
  if (Array.isArray(value)) return value.map((item: unknown) => sanitizeValue(item)) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sanitizeValue(item as unknown)])) as Value;
}

function escapeSequence(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
