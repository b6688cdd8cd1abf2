/**
 * Escapes untrusted names, code and messages for a terminal: control characters must not control it, and invisible
 * characters must not disguise the text.
 */
export function printable(text: string): string {
  return text.replaceAll('\t', '    ').replaceAll(UNPRINTABLE, '\u{fffd}');
}

/** Control characters, line separators, bidirectional marks, joiners, byte order marks and tags. */
const UNPRINTABLE =
  // oxlint-disable-next-line no-control-regex -- matches the characters that control a terminal
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;
