import { StringDecoder } from 'node:string_decoder';
import { redact } from '../../../domain/shared/redact.ts';

/** The end of what a program writes. */
export interface OutputTail {
  /** Appends output. */
  write(piece: Uint8Array | string): void;
  /** Its last characters, at most {@link LONGEST_TAIL}, without secrets. */
  text(most: number): string;
}

/** Characters of the longest tail. */
export const LONGEST_TAIL = 4_000;
/** Kept for the tail: a secret that begins before it must be seen whole. */
const KEPT = 16_000;

/** Keeps the end of an output. Memory does not grow with the output. */
export function createOutputTail(): OutputTail {
  const decoder = new StringDecoder('utf8');
  let last = '';
  return {
    write(piece) {
      const text =
        typeof piece === 'string'
          ? piece
          : decoder.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
      last = (last + text).slice(-KEPT);
    },
    text: (most) => redact(last).slice(-most),
  };
}
