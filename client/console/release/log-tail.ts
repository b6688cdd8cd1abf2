import { stripVTControlCharacters } from 'node:util';

/** The end of a log. */
export interface LogTail {
  /** Whole lines, without the escape sequences that colour a terminal. */
  readonly text: string;
  /** Bytes before it. */
  readonly skipped: number;
  /** Bytes in all. */
  readonly size: number;
}

/** Reads the last `most` bytes of a log; memory holds no more than twice that. */
export async function readLogTail(content: AsyncIterable<Uint8Array>, most: number): Promise<LogTail> {
  const kept: Uint8Array[] = [];
  let held = 0;
  let size = 0;
  for await (const piece of content) {
    kept.push(piece);
    held += piece.length;
    size += piece.length;
    for (let [first] = kept; first !== undefined && held - first.length >= most; [first] = kept) {
      held -= first.length;
      kept.shift();
    }
  }
  const bytes = Buffer.concat(kept);
  let from = Math.max(0, bytes.length - most);
  if (from > 0 || size > bytes.length) from = bytes.indexOf('\n', from) + 1 || from;
  const text = bytes.subarray(from).toString('utf8').replaceAll('\r\n', '\n');
  return { text: stripVTControlCharacters(text), skipped: size - (bytes.length - from), size };
}
