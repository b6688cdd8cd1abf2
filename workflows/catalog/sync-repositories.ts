import type { SyncRepositoriesInput } from '../../domain/catalog/flows/flows.ts';
import type { FleetResult } from '../../domain/fleet/fleet.ts';
import { syncRepositoriesFlow } from '../../domain/catalog/flows/fleet-flows.ts';
import { syncRepositoryFlow } from '../../domain/catalog/flows/repository-flows.ts';
import { checked } from '../shared/input.ts';
import { finding } from './activities.ts';
import { fleetName, fleetStart, FleetTracker, PAGE_SIZE, withBranches, workThroughFleet } from '../shared/fleet.ts';

/**
 * Delta sync of indexed repositories (docs/flows.md): reads every HEAD and indexed branch in batches, and starts a
 * child only for a repository that changed.
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
      // a repository that was removed while it waited must not be indexed again; a moved one is not indexed yet
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
