/** Something that is opened when it is first used and then shared by everybody. */
export interface Kept<Opened> {
  /** Works with it. After an error that may be its own, the next use opens it anew. */
  use<Result>(work: (opened: Opened) => Promise<Result>): Promise<Result>;
  /** Closes it when nobody uses it any more. */
  close(): Promise<void>;
}

interface Holding<Opened> {
  readonly opening: Promise<Opened>;
  users: number;
  isRetired: boolean;
}

/** Keeps what `open` gives. `isItsFault` tells the errors after which it is worth opening anew. */
export function keep<Opened extends { close(): Promise<void> }>(
  open: () => Promise<Opened>,
  isItsFault: (error: unknown) => boolean,
): Kept<Opened> {
  let current: Holding<Opened> | null = null;

  function retire(holding: Holding<Opened>): void {
    holding.isRetired = true;
    if (current === holding) current = null;
  }

  async function closeUnused({ opening, users, isRetired }: Holding<Opened>): Promise<void> {
    if (!isRetired || users > 0) return;
    const opened = await opening.catch(() => null);
    // what has failed may also fail to close
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

/** Waits for `work`, but no longer than until an abort. */
export function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new DOMException('The request was cancelled.', 'AbortError'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
