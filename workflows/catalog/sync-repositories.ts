import type { SyncRepositoriesInput } from '../../domain/catalog/flows/flows.ts';
import type { FleetResult } from '../../domain/fleet/fleet.ts';
import { syncRepositoriesFlow } from '../../domain/catalog/flows/fleet-flows.ts';
import { syncRepositoryFlow } from '../../domain/catalog/flows/repository-flows.ts';
import { checked } from '../shared/input.ts';
import { finding } from './activities.ts';
import { fleetName, fleetStart, FleetTracker, PAGE_SIZE, withBranches, workThroughFleet } from '../shared/fleet.ts';

/**
 * Delta sync of what is indexed (seed 000, workflows 2 and 8): where each HEAD is, and each branch beside it, is asked in batches, and a child is
 * started only for a repository that changed.
 */
export async function syncRepositories(input: SyncRepositoriesInput): Promise<FleetResult> {
  const { given, state } = fleetStart(input);
  const tracker = new FleetTracker(state.progress);
  const { patterns, all, parallel } = await checked(syncRepositoriesFlow, given);
  const name = fleetName('sync', patterns);
  return workThroughFleet(state, tracker, {
    name,
    parallel,
    page: (after) =>
      finding.findChanged.executeWithOptions({ summary: `mgit heads of ${name.group}`.slice(0, 200) }, [
        { patterns: patterns ?? null, after, limit: PAGE_SIZE },
      ]),
    child: {
      type: syncRepositoryFlow.type,
      // one that was removed while it waited for its turn must not come back; a moved one is not there yet
      input: (repository, { isMoved, branches }) => ({
        repository,
        ...(isMoved ? {} : { onlyIndexed: true }),
        ...withBranches(branches),
      }),
    },
    record: (outcome) => tracker.succeeded(outcome),
    nextInput: (next) => ({ ...(patterns ? { patterns } : { all }), parallel, continued: next }),
  });
}
