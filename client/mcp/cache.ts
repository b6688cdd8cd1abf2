/** A resource that is opened on first use and then shared. */
export interface SharedResource<Opened> {
  /** Uses it. After an error that may be its fault, the next use opens it again. */
  use<Result>(work: (opened: Opened) => Promise<Result>): Promise<Result>;
  /** Closes it when it is no longer in use. */
  close(): Promise<void>;
}

interface Holding<Opened> {
  readonly opening: Promise<Opened>;
  users: number;
  isRetired: boolean;
}

/** Caches what `open` returns. `isItsFault` is true for errors after which it is opened again. */
export function createSharedResource<Opened extends { close(): Promise<void> }>(
  open: () => Promise<Opened>,
  isItsFault: (error: unknown) => boolean,
): SharedResource<Opened> {
  let current: Holding<Opened> | null = null;

  function retire(holding: Holding<Opened>): void {
    holding.isRetired = true;
    if (current === holding) current = null;
  }

  async function closeUnused({ opening, users, isRetired }: Holding<Opened>): Promise<void> {
    if (!isRetired || users > 0) return;
    const opened = await opening.catch(() => null);
    // a failed resource may also fail to close
    await opened?.close().catch(() => undefined);
  }

  return {
    async use(work) {
      const holding = (current ??= { opening: open(), users: 0, isRetired: false });
      holding.users++;
      try {
        return await work(await holding.opening);
      } catch (error) {
        if (isItsFault(error)) retire(holding);
        throw error;
      } finally {
        holding.users--;
        await closeUnused(holding);
      }
    },
    async close() {
      const holding = current;
      if (holding === null) return;
      retire(holding);
      await closeUnused(holding);
    },
  };
}

/** Waits for `work`, or until an abort. */
export function unlessCancelled<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new DOMException('The request was cancelled.', 'AbortError'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
