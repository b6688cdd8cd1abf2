/** Names, code and messages are somebody else's text: control characters in them must not steer the terminal. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are the characters that steer a terminal
  return text.replaceAll('\t', '    ').replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '\u{fffd}');
}
