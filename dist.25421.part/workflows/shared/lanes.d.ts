/**
 * Works through `items` with at most `limit` of them at a time, in order of their start. Waits for every lane to come to
 * rest before it rethrows the first error, so that nothing is still running when the caller goes on. An item whose
 * failure must not stop the others has to be caught in `work`.
 */
export declare function inLanes<Item>(items: readonly Item[], limit: number, work: (item: Item) => Promise<void>): Promise<void>;
