import type { Readable } from 'node:stream';

/** Characters of a line that are kept. */
const LONGEST_LINE = 16_384;
/** What ends a line: also the return to its beginning, by which programs show how far they are. */
const LINE_END = /\r\n|[\n\r\u2028\u2029]/;

/**
 * Calls `onLine` with each line of a stream of UTF-8, without its end and cut at 16,384 characters: a program that never ends a
 * line takes no memory. A last line without an end counts when it is not empty. What a failing stream fails
 * with is not reported: its program has the reason.
 */
export function readProgramLines(stream: Readable, onLine: (line: string) => void): void {
  let line = '';
  let isAfterReturn = false;
  stream.setEncoding('utf8');
  stream.on('data', (piece: string) => {
    const text = isAfterReturn && piece.startsWith('\n') ? piece.slice(1) : piece;
    isAfterReturn = piece.endsWith('\r');
    const [first = '', ...others] = text.split(LINE_END);
    for (const [at, part] of [first, ...others].entries()) {
      if (at > 0) {
        onLine(line);
        line = '';
      }
      line = (line + part.slice(0, LONGEST_LINE)).slice(0, LONGEST_LINE);
    }
  });
  stream.on('end', () => line !== '' && onLine(line));
  stream.on('error', () => undefined);
}
