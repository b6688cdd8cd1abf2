/**
 * Names, code and messages are somebody else's text: control characters in them must not steer the terminal, nor invisible ones
 * make it show another text than there is.
 */
export function printable(text: string): string {
  return text.replaceAll('\t', '    ').replaceAll(UNPRINTABLE, '\u{fffd}');
}

/** Control characters, separators of lines, marks of direction, joiners, byte order marks and tags. */
const UNPRINTABLE =
  // oxlint-disable-next-line no-control-regex -- these are the characters that steer a terminal
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;
