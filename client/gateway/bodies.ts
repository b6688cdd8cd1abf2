import type { Readable } from 'node:stream';
import { Refusal } from './refusal.ts';

/** How much of bodies may be in memory, in bytes. */
export interface BodyLimits {
  /** Of one body. */
  readonly largest: number;
  /** One no larger than this is taken however much else is coming. */
  readonly small: number;
  /** Of all that are coming. */
  readonly most: number;
}

/** Reads a whole body. */
export type Bodies = (body: Readable) => Promise<Buffer>;

/**
 * Reads bodies of which nobody knows yet who sends them: a signature can be checked only when all of a body is there, so strangers
 * must not be able to fill the memory. Refuses one that is too large, and larger ones while too much is coming at the same time.
 */
export function createBodies({ largest, small, most }: BodyLimits): Bodies {
  let coming = 0;
  return async (body) => {
    const pieces: Buffer[] = [];
    let size = 0;
    try {
      // it stays open: whoever sent it is told why
      for await (const piece of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        size += piece.length;
        coming += piece.length;
        if (size > largest) throw new Refusal(413, 'PayloadTooLarge', 'The body is too large.');
        if (size > small && coming > most) {
          const message = 'Too much is sent at the same time: send it again later.';
          throw new Refusal(503, 'ServerUnavailable', message, { retryAfter: 10 });
        }
        pieces.push(piece);
      }
      return Buffer.concat(pieces);
    } catch (error) {
      // what still comes is dropped, so that the connection is free for the next request
      body.resume();
      if (error instanceof Refusal) throw error;
      throw new Refusal(400, 'InvalidInput', 'The body did not come to its end.');
    } finally {
      coming -= size;
    }
  };
}
