import type { Readable } from 'node:stream';
import { Refusal } from './refusal.ts';

/** Limits for bodies in memory, in bytes. */
export interface BodyLimits {
  /** Largest body. */
  readonly largest: number;
  /** A body up to this size is always accepted. */
  readonly small: number;
  /** Limit for all bodies in progress. */
  readonly most: number;
}

/** Reads a whole body. */
export type Bodies = (body: Readable) => Promise<Buffer>;

/**
 * Reads bodies before their sender is authenticated: a signature can only be checked over the whole body, so strangers
 * must not be able to fill the memory. Refuses a body that is too large, and large bodies while too many are in
 * progress.
 */
export function createBodies({ largest, small, most }: BodyLimits): Bodies {
  let coming = 0;
  return async (body) => {
    const pieces: Buffer[] = [];
    let size = 0;
    try {
      // the connection stays open, so that the sender gets the reason
      for await (const piece of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        size += piece.length;
        coming += piece.length;
        if (size > largest) throw new Refusal(413, 'PayloadTooLarge', 'The body is too large.');
        if (size > small && coming > most) {
          const message = 'Too many concurrent requests: send it again later.';
          throw new Refusal(503, 'ServerUnavailable', message, { retryAfter: 10 });
        }
        pieces.push(piece);
      }
      return Buffer.concat(pieces);
    } catch (error) {
      // the rest is discarded, so that the connection is free for the next request
      body.resume();
      if (error instanceof Refusal) throw error;
      throw new Refusal(400, 'InvalidInput', 'The body is incomplete.');
    } finally {
      coming -= size;
    }
  };
}
