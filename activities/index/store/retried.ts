import { setTimeout } from 'node:timers/promises';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { failureOfWeaviate } from './weaviate.ts';

/** Attempts at a request to Weaviate. */
export const TRIES = 4;

/**
 * Retries: a restarting server must not fail the whole repository. If it stays unavailable, throws `ServerUnavailable`,
 * for which the flow waits. A refused key is `AuthenticationFailed`, a read-only store `WeaviateReadOnly`
 * with `place`, at once.
 */
export async function retried<Result>(
  call: () => Promise<Result>,
  signal?: AbortSignal,
  place = 'Weaviate',
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      signal?.throwIfAborted();
      const failure = failureOfWeaviate(error, { place });
      const isLasting = failure instanceof LonghaulError && failure.type !== 'ServerUnavailable';
      if (attempt === TRIES || isLasting) throw failure;
      await pause(attempt, signal);
    }
  }
}

/** Waits before the next try; an abort ends it at once. */
export async function pause(attempt: number, signal?: AbortSignal): Promise<void> {
  try {
    await setTimeout(250 * 2 ** attempt, undefined, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
