/** A number of turns that many tasks share, first come, first served. */
export interface Turns {
  /** Waits for a turn, and gives the function that ends it. Rejects with the signal's reason at once when it is aborted. */
  take(signal: AbortSignal): Promise<() => void>;
}

/** As many turns at the same time as `most`. */
export function createTurns(most: number): Turns {
  const waiting = new Set<() => void>();
  let free = most;

  function end(): void {
    free++;
    const [next] = waiting;
    next?.();
  }

  return {
    async take(signal) {
      signal.throwIfAborted();
      if (free > 0) free--;
      else await untilCalled(signal);
      return end;
    },
  };

  function untilCalled(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.delete(begin);
        signal.removeEventListener('abort', abort);
      };
      const begin = (): void => {
        leave();
        free--;
        resolve();
      };
      const abort = (): void => {
        leave();
        reject(signal.reason as Error);
      };
      waiting.add(begin);
      signal.addEventListener('abort', abort, { once: true });
    });
  }
}
