import { addressOf, type CatalogFleetResult } from '../../domain/catalog/flows/fleet.ts';
import { syncGroupFlow } from '../../domain/catalog/flows/group-flows.ts';
import { syncRepositoryFlow } from '../../domain/catalog/flows/repository-flows.ts';
import type { SyncGroupInput } from '../../domain/catalog/groups/sync-groups.ts';
import { workThroughFleet } from '../shared/fleet.ts';
import { checked } from '../shared/input.ts';
import { planActivities } from './activities.ts';
import { groupLog, lastIndexed, recordSynced, startCatalogFleet, withBranches } from './fleet.ts';

/**
 * One run of a sync group (docs/sync-groups.md), started by its schedule: onboards what `mgit list` finds and the index
 * does not hold, and syncs what moved, with one child each. A failed repository does not stop the others.
 */
export async function syncGroup(input: SyncGroupInput): Promise<CatalogFleetResult> {
  const { given, state, tracker } = startCatalogFleet(input);
  const group = await checked(syncGroupFlow, given);
  const { name, patterns, exclude, branches, parallel } = group;
  return workThroughFleet(state, tracker, {
    log: groupLog(name),
    parallel,
    page: (request) =>
      planActivities.findGroupWork.executeWithOptions({ summary: `mgit list and heads of ${name}` }, [
        { group: name, patterns, exclude, ...withBranches(branches), ...request },
      ]),
    child: syncRepositoryFlow,
    input: (planned) => ({
      repository: addressOf(planned),
      group: name,
      ...withBranches([...branches, ...(planned.branches ?? [])]),
    }),
    record: (outcome, planned) => recordSynced(tracker, outcome, planned),
    about: lastIndexed,
    nextInput: (continued) => ({ ...group, continued }),
  });
}
