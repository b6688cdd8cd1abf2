import DataLoader from 'dataloader';
import { LonghaulError } from '../../domain/shared/failures.ts';

/** Does something with items, in their order, and returns what came of each. */
export type Run<Item, Result> = (items: readonly Item[]) => Promise<readonly Result[]>;

/** How long a run waits for others that begin at the same time. */
const WINDOW_MS = 30;

/**
 * Joins runs that begin within 30 ms: a kubectl needs 200 ms of a processor before it asks anything, and services of a
 * deployment wait for their objects at the same time. One that the server refuses does not fail the others: then each is
 * run by itself, so a run must be one that can be repeated.
 */
export function createSharedRun<Item, Result>(run: Run<Item, Result>): Run<Item, Result> {
  const loader = new DataLoader<readonly Item[], readonly Result[]>(
    async (asked) => {
      try {
        const results = await run(asked.flat());
        let at = 0;
        return asked.map(({ length }) => results.slice(at, (at += length)));
      } catch (error) {
        const isOfAll = asked.length === 1 || (error instanceof LonghaulError && error.type === 'ClusterUnavailable');
        if (isOfAll) return asked.map(() => error as Error);
        return Promise.all(asked.map((each) => run(each).catch((failure: unknown) => failure as Error)));
      }
    },
    { cache: false, batchScheduleFn: (start) => void setTimeout(start, WINDOW_MS) },
  );
  return (items) => loader.load(items);
}
