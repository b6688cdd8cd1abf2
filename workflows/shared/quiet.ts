import { setHandler, type SignalDefinition, sleep } from '@temporalio/workflow';

/** How long to wait for quiet. */
export interface Patience {
  /** Milliseconds in which nothing came. */
  readonly quietMs: number;
  /** Milliseconds after which it is enough, however much still comes. */
  readonly longestMs: number;
}

/** What was signalled and is not taken yet. */
export interface Collected<Item> {
  readonly pending: readonly Item[];
  /** Waits until it is quiet, and takes everything that came. */
  take(): Promise<Item[]>;
}

/**
 * Collects what is signalled, for a flow that is started with its signal. No signal is lost when the flow ends only while
 * nothing is pending, and continues as new with what is: the server lets no run end that has a signal waiting. `add` puts
 * what was signalled to what is pending, unless that says it already; false for a signal that counts for nothing.
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
      // one timer for each pause, not one for each signal
      do {
        seen = ticks;
        await sleep(Math.min(quietMs, longestMs), { summary: 'until nothing comes any more' });
      } while (ticks !== seen && Date.now() < enough);
      return pending.splice(0);
    },
  };
}
