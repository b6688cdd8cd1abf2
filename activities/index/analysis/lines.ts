import { LonghaulError } from '../../../domain/shared/failures.ts';

/** The longest line that is taken: a file of the largest size that is indexed, escaped in the longest way. */
const LONGEST_LINE = 64 * 1024 * 1024;

/** A line of a text. */
export interface Line {
  /** 1 for the first. */
  readonly number: number;
  /** Without its line feed. */
  readonly text: string;
}

/**
 * The lines of a text in UTF-8, each ended by a line feed and nothing else: U+2028 stands in JSON as itself. Throws
 * `InvalidInput` naming the line when one is not UTF-8, or is longer than 64 MiB.
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
      // some programs begin a file with a mark of its encoding
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
