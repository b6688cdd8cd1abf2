/** Lets a limited number of tasks run in parallel; the others wait, first come, first served. */
export interface Semaphore {
  /**
   * Waits for a permit and returns the function that releases it; a second call does nothing. Rejects with the signal's
   * reason as soon as it is aborted; the permit then goes to the next task.
   */
  acquire(signal?: AbortSignal): Promise<() => void>;
}

/** A semaphore with `permits` permits. */
export function createSemaphore(permits: number): Semaphore {
  const waiting = new Set<() => void>();
  let free = permits;

  function permit(): () => void {
    free--;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      free++;
      const [next] = waiting;
      next?.();
    };
  }

  return {
    async acquire(signal) {
      signal?.throwIfAborted();
      return free > 0 ? permit() : untilCalled(signal);
    },
  };

  function untilCalled(signal: AbortSignal | undefined): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.delete(begin);
        signal?.removeEventListener('abort', abort);
      };
      const begin = (): void => {
        leave();
        resolve(permit());
      };
      const abort = (): void => {
        leave();
        reject(signal?.reason as Error);
      };
      waiting.add(begin);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}
