import { printable } from '../../core/sanitize.ts';

/** Text of several lines that may have foreign text in it. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
