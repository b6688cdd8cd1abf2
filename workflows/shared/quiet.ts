import { setHandler, type SignalDefinition, sleep } from '@temporalio/workflow';

/** How long to wait for a quiet period. */
export interface Patience {
  /** Milliseconds without new items. */
  readonly quietMs: number;
  /** Maximum wait in milliseconds, even if items keep arriving. */
  readonly longestMs: number;
}

/** Signalled items that were not taken yet. */
export interface Collected<Item> {
  readonly pending: readonly Item[];
  /** Waits for a quiet period and takes all pending items. */
  take(): Promise<Item[]>;
}

/**
 * Collects signalled items, for a flow that is started with its signal. No signal is lost if the flow ends only while
 * nothing is pending, and passes pending items on when it continues as new: the server does not let a run end while a
 * signal is waiting. `add` adds a signal's items to the pending ones, unless they are duplicates; it returns false for
 * a signal without valid items.
 */
export function collected<Item>(
  signal: SignalDefinition<[unknown]>,
  carried: readonly Item[],
  {
    add,
    patience,
    description,
  }: {
    readonly add: (pending: Item[], given: unknown) => boolean;
    readonly patience: () => Patience;
    readonly description: string;
  },
): Collected<Item> {
  const pending = [...carried];
  let ticks = 0;
  setHandler(
    signal,
    (given: unknown) => {
      if (add(pending, given)) ticks++;
    },
    { description },
  );
  return {
    pending,
    async take() {
      const { quietMs, longestMs } = patience();
      const enough = Date.now() + longestMs;
      let seen: number;
      // one timer per pause, not per signal
      do {
        seen = ticks;
        await sleep(Math.min(quietMs, longestMs), { summary: 'until no more items arrive' });
      } while (ticks !== seen && Date.now() < enough);
      return pending.splice(0);
    },
  };
}
