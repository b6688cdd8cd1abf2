import { addressOf } from '../domain/catalog/flows.js';
import { matchesAny, parsePattern } from '../domain/catalog/pattern.js';
import { planOnboarding, planSync } from '../domain/catalog/plan.js';
/** See {@link Planner}. */
export function createPlanner({ mgit, store, digest, providers }) {
    async function indexedMatching(patterns) {
        const parsed = patterns?.map((pattern) => parsePattern(pattern, providers)) ?? null;
        const receipts = await store.receipts();
        if (parsed === null)
            return receipts;
        return receipts.filter(({ repository }) => matchesAny(parsed, repository));
    }
    return {
        async onboarding(patterns, signal) {
            const found = await mgit.list(patterns, signal ? { signal } : {});
            const receipts = new Map((await store.receipts()).map((receipt) => [receipt.repository, receipt]));
            return planOnboarding(found.map(addressOf), receipts, digest);
        },
        async sync(patterns, signal) {
            const receipts = await indexedMatching(patterns);
            const heads = await mgit.heads(receipts.map(addressOfReceipt), signal ? { signal } : {});
            return planSync(receipts, heads, digest);
        },
        async removal(patterns) {
            const work = (await indexedMatching(patterns)).map(addressOfReceipt);
            return { matched: work.length, work, upToDate: [], failures: [] };
        },
    };
}
/** Where the repository of a receipt is fetched from. */
export function addressOfReceipt({ repository, cloneUrl }) {
    return { id: repository, cloneUrl };
}
//# sourceMappingURL=planner.js.map