import DataLoader from 'dataloader';
import { LonghaulError } from '../../domain/shared/failures.ts';

/** Reads objects, in the given order; null for one that is not there. */
export type SharedRead<Reference, Found> = (references: readonly Reference[]) => Promise<readonly (Found | null)[]>;

/** How long a read waits for others that begin at the same time. */
const WINDOW_MS = 20;

/**
 * Joins reads that begin within 20 ms: a kubectl needs 200 ms of a processor before it asks anything, and the services of
 * a deployment wait for their objects at the same time. One that the server refuses does not fail the others.
 */
export function createSharedRead<Reference, Found>(read: SharedRead<Reference, Found>): SharedRead<Reference, Found> {
  const loader = new DataLoader<readonly Reference[], readonly (Found | null)[]>(
    async (asked) => {
      try {
        const found = await read(asked.flat());
        let at = 0;
        return asked.map(({ length }) => found.slice(at, (at += length)));
      } catch (error) {
        const isOfAll = asked.length === 1 || (error instanceof LonghaulError && error.type === 'ClusterUnavailable');
        if (isOfAll) return asked.map(() => error as Error);
        return Promise.all(asked.map((each) => read(each).catch((failure: unknown) => failure as Error)));
      }
    },
    { cache: false, batchScheduleFn: (start) => void setTimeout(start, WINDOW_MS) },
  );
  return (references) => loader.load(references);
}
