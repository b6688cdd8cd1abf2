import { LonghaulError } from '../../../domain/shared/failures.ts';

/** The longest accepted line: the largest indexable file, escaped in the longest way. */
const LONGEST_LINE = 64 * 1024 * 1024;

/** A line of a text. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its line feed. */
  readonly text: string;
}

/**
 * The lines of a UTF-8 text, ended by line feeds only: U+2028 is valid inside JSON. Throws `InvalidInput` with the line
 * number when a line is not UTF-8, or longer than 64 MiB.
 */
export async function* readLines(input: AsyncIterable<Uint8Array | string>): AsyncGenerator<Line, void> {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let number = 0;
  let begun: Uint8Array[] = [];
  let length = 0;
  const decode = (bytes: Uint8Array): Line => {
    number++;
    try {
      const text = utf8.decode(bytes);
      // some programs begin a file with a byte order mark
      return { number, text: number === 1 ? text.replace(/^\uFEFF/, '') : text };
    } catch (error) {
      throw new LonghaulError('InvalidInput', `Line ${number} of the change stream: it is not UTF-8.`, {
        cause: error,
      });
    }
  };
  for await (const chunk of input) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    let from = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      yield decode(
        begun.length === 0 ? bytes.subarray(from, end) : Buffer.concat([...begun, bytes.subarray(from, end)]),
      );
      begun = [];
      length = 0;
      from = end + 1;
    }
    if (from === bytes.length) continue;
    begun.push(bytes.subarray(from));
    length += bytes.length - from;
    if (length <= LONGEST_LINE) continue;
    throw new LonghaulError(
      'InvalidInput',
      `Line ${number + 1} of the change stream: it is longer than ${LONGEST_LINE} bytes; name large contents by content_ref.`,
    );
  }
  if (length > 0) yield decode(Buffer.concat(begun));
}
