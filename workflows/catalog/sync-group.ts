import type { FleetResult } from '../../domain/fleet/fleet.ts';
import type { SyncGroupInput } from '../../domain/catalog/groups/sync-groups.ts';
import { syncGroupFlow } from '../../domain/catalog/flows/group-flows.ts';
import { syncRepositoryFlow } from '../../domain/catalog/flows/repository-flows.ts';
import { checked } from '../shared/input.ts';
import { finding } from './activities.ts';
import { fleetStart, FleetTracker, PAGE_SIZE, withBranches, workThroughFleet } from '../shared/fleet.ts';

/**
 * One run of a sync group (docs/sync-groups.md), started by its schedule: onboards what `mgit list` finds and the index
 * does not hold, and syncs what moved, with one child each. A failed repository does not stop the others.
 */
export async function syncGroup(input: SyncGroupInput): Promise<FleetResult> {
  const { given, state } = fleetStart(input);
  const tracker = new FleetTracker(state.progress);
  const group = await checked(syncGroupFlow, given);
  const { name, patterns, exclude, branches, parallel } = group;
  return workThroughFleet(state, tracker, {
    name: { verb: 'sync', group: name, named: true },
    parallel,
    page: (after) =>
      finding.findGroupWork.executeWithOptions({ summary: `mgit list and heads of ${name}` }, [
        { group: name, patterns, exclude, ...withBranches(branches), after, limit: PAGE_SIZE },
      ]),
    child: {
      type: syncRepositoryFlow.type,
      input: (repository, planned) => ({
        repository,
        group: name,
        ...withBranches([...branches, ...planned.branches]),
      }),
    },
    record: (outcome) => tracker.succeeded(outcome),
    nextInput: (next) => ({ ...group, continued: next }),
  });
}
