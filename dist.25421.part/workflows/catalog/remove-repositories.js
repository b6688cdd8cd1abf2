import { checked } from '../shared/input.js';
import { finding } from './activities.js';
import { FleetTracker, newFleet, PAGE_SIZE, runStart, workThroughFleet } from './fleet.js';
/** Takes the indexed repositories that match out of the index; the repositories themselves are not touched. */
export async function removeRepositories(input) {
    const { continued, ...given } = input;
    const state = continued ?? newFleet(runStart());
    const tracker = new FleetTracker(state.progress);
    const { patterns, parallel } = await checked('removeRepositories', given);
    return workThroughFleet(state, tracker, {
        parallel,
        page: (after) => finding.findIndexed.executeWithOptions({ summary: `receipts of ${patterns.join(', ')}`.slice(0, 200) }, [
            { patterns, after, limit: PAGE_SIZE },
        ]),
        proceed: () => Promise.resolve(true),
        child: { type: 'removeRepository', input: ({ id }) => ({ repository: id }) },
        nextInput: (next) => ({ patterns, parallel, continued: next }),
    });
}
//# sourceMappingURL=remove-repositories.js.map