import DataLoader from 'dataloader';

/** Does something with items, in their order, and returns what came of each. It ends what it does when it is aborted. */
export type Run<Item, Result> = (items: readonly Item[], signal?: AbortSignal) => Promise<readonly Result[]>;

/** How long a run waits for others that begin at the same time. */
const WINDOW_MS = 30;

/** A run that may be joined with others. */
interface Asked<Item> {
  readonly items: readonly Item[];
  readonly signal: AbortSignal | undefined;
}

/**
 * Joins runs that begin within 30 ms: a kubectl needs 200 ms of a processor before it asks anything, and services of a
 * deployment wait for their objects at the same time. When one of them fails, each is run by itself, so a run must be one
 * that can be repeated. What is aborted rejects when nothing of it is done any more: joined runs are ended when all are
 * aborted, and otherwise go on.
 */
export function createSharedRun<Item, Result>(run: Run<Item, Result>): Run<Item, Result> {
  const alone = ({ items, signal }: Asked<Item>): Promise<readonly Result[] | Error> =>
    signal?.aborted
      ? Promise.resolve(reasonOf(signal))
      : run(items, signal).catch((failure: unknown) => failure as Error);
  const loader = new DataLoader<Asked<Item>, readonly Result[]>(
    async (joined) => {
      const asked = joined.filter(({ signal }) => signal?.aborted !== true);
      const [only] = asked;
      if (asked.length > 1) {
        const all = whenAllAborted(asked);
        try {
          const results = await run(
            asked.flatMap(({ items }) => items),
            all.signal,
          );
          let at = 0;
          const own = new Map(asked.map((each) => [each, results.slice(at, (at += each.items.length))]));
          return joined.map((each) => own.get(each) ?? reasonOf(each.signal));
        } catch {
          // each gets its own failure
          return await Promise.all(joined.map(alone));
        } finally {
          all.forget();
        }
      }
      return Promise.all(joined.map(async (each) => (each === only ? alone(each) : reasonOf(each.signal))));
    },
    { cache: false, batchScheduleFn: (start) => void setTimeout(start, WINDOW_MS) },
  );
  return async (items, signal) => {
    signal?.throwIfAborted();
    const results = await loader.load({ items, signal });
    signal?.throwIfAborted();
    return results;
  };
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
  return {
    signal: ends.signal,
    forget() {
      for (const { signal } of asked) signal?.removeEventListener('abort', check);
    },
  };
}
