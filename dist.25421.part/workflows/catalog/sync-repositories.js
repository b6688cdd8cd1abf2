import { log } from '@temporalio/workflow';
import { checked } from '../shared/input.js';
import { finding } from './activities.js';
import { FleetTracker, newFleet, PAGE_SIZE, runStart, workThroughFleet } from './fleet.js';
/**
 * Delta sync of what is indexed (seed 000, workflows 2 and 8): where each HEAD is, is asked in batches, and a child is
 * started only for a repository that changed.
 */
export async function syncRepositories(input) {
    const { continued, ...given } = input;
    const state = continued ?? newFleet(runStart());
    const tracker = new FleetTracker(state.progress);
    const { patterns, all, parallel } = await checked('syncRepositories', given);
    const group = all ? 'all' : (patterns ?? []).join(', ');
    return workThroughFleet(state, tracker, {
        parallel,
        page: (after) => finding.findChanged.executeWithOptions({ summary: `mgit heads of ${group}`.slice(0, 200) }, [
            { patterns: patterns ?? null, after, limit: PAGE_SIZE },
        ]),
        proceed: (total) => {
            log.info('sync_group_start', { event: 'sync_group_start', group, repo_count: total });
            return Promise.resolve(true);
        },
        child: { type: 'syncRepository', input: (repository) => ({ repository }) },
        nextInput: (next) => ({ ...given, continued: next }),
    });
}
//# sourceMappingURL=sync-repositories.js.map