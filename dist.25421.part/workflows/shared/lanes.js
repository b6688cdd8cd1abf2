/**
 * Works through `items` with at most `limit` of them at a time, in order of their start. Waits for every lane to come to
 * rest before it rethrows the first error, so that nothing is still running when the caller goes on. An item whose
 * failure must not stop the others has to be caught in `work`.
 */
export async function inLanes(items, limit, work) {
    let next = 0;
    let stopped = false;
    const lane = async () => {
        while (!stopped && next < items.length) {
            const item = items[next++];
            if (item === undefined)
                continue;
            try {
                await work(item);
            }
            catch (error) {
                stopped = true;
                throw error;
            }
        }
    };
    const lanes = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, lane));
    const failed = lanes.find((result) => result.status === 'rejected');
    if (failed)
        throw failed.reason;
}
//# sourceMappingURL=lanes.js.map