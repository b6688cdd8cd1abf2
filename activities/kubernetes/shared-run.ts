import DataLoader from 'dataloader';

/** Does something with items, in their order, and returns what came of each. It ends what it does when it is aborted. */
type Run<Item, Result> = (items: readonly Item[], signal?: AbortSignal) => Promise<readonly Result[]>;

/** How what may be joined with others is run. */
interface SharedRunOptions {
  /** What is run ends when this is aborted, and that of all others that it is joined with. */
  readonly signal?: AbortSignal | undefined;
  /** Called directly before each run. What it rejects with is the end of this one, which is not run, and of no other. */
  readonly beforeRun?: (() => Promise<void>) | undefined;
}

/** A {@link Run} that may be joined with others. */
export type SharedRun<Item, Result> = (
  items: readonly Item[],
  options?: SharedRunOptions,
) => Promise<readonly Result[]>;

/** How long a run waits for others that begin at the same time. */
const WINDOW_MS = 30;

interface Asked<Item> extends SharedRunOptions {
  readonly items: readonly Item[];
}

/**
 * Joins runs that begin within 30 ms: a kubectl needs 200 ms of a processor before it asks anything, and services of a
 * deployment become ready at the same time. When one of them fails, each is run by itself, so a run must be one
 * that can be repeated. What is aborted rejects when nothing of it is done any more: joined runs are ended when all are
 * aborted, and otherwise go on.
 */
export function createSharedRun<Item, Result>(run: Run<Item, Result>): SharedRun<Item, Result> {
  const runOne = ({ items, signal }: Asked<Item>): Promise<readonly Result[] | Error> =>
    run(items, signal).catch((failure: unknown) => failure as Error);
  const loader = new DataLoader<Asked<Item>, readonly Result[]>(
    async (joined) => {
      const refusals = await Promise.all(joined.map(refusalOf));
      const asked = joined.filter((_each, at) => refusals[at] === null);
      if (asked.length <= 1) return Promise.all(joined.map(async (each, at) => refusals[at] ?? runOne(each)));
      const all = whenAllAborted(asked);
      try {
        const results = await run(
          asked.flatMap(({ items }) => items),
          all.signal,
        );
        let at = 0;
        const own = new Map(asked.map((each) => [each, results.slice(at, (at += each.items.length))]));
        return joined.map((each, nth) => refusals[nth] ?? own.get(each) ?? []);
      } catch {
        // each gets its own failure
        return await Promise.all(
          joined.map(async (each, nth) => refusals[nth] ?? (await refusalOf(each)) ?? runOne(each)),
        );
      } finally {
        all.forget();
      }
    },
    { cache: false, batchScheduleFn: (start) => void setTimeout(start, WINDOW_MS) },
  );
  return async (items, { signal, beforeRun } = {}) => {
    signal?.throwIfAborted();
    const results = await loader.load({ items, signal, beforeRun });
    signal?.throwIfAborted();
    return results;
  };
}

/** Why something is not run; null when it is. */
async function refusalOf({ signal, beforeRun }: SharedRunOptions): Promise<Error | null> {
  try {
    signal?.throwIfAborted();
    await beforeRun?.();
    signal?.throwIfAborted();
    return null;
  } catch (reason) {
    return reason instanceof Error ? reason : new Error(String(reason));
  }
}

function reasonOf(signal: AbortSignal | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new Error('it was aborted');
}

/** A signal that is aborted when all these are. */
function whenAllAborted(asked: readonly Asked<unknown>[]): { readonly signal: AbortSignal; forget(): void } {
  const ends = new AbortController();
  const check = (): void => {
    if (asked.every(({ signal }) => signal?.aborted)) ends.abort(reasonOf(asked[0]?.signal));
  };
  for (const { signal } of asked) signal?.addEventListener('abort', check);
  check();
  return {
    signal: ends.signal,
    forget() {
      for (const { signal } of asked) signal?.removeEventListener('abort', check);
    },
  };
}
