import { addressOf, type CatalogFleetResult } from '../../domain/catalog/flows/fleet.ts';
import { syncRepositoriesFlow } from '../../domain/catalog/flows/fleet-flows.ts';
import type { SyncRepositoriesInput } from '../../domain/catalog/flows/flows.ts';
import { syncRepositoryFlow } from '../../domain/catalog/flows/repository-flows.ts';
import { workThroughFleet } from '../shared/fleet.ts';
import { checked } from '../shared/input.ts';
import { planActivities } from './activities.ts';
import { lastIndexed, patternsLog, recordSynced, startCatalogFleet, withBranches } from './fleet.ts';

/**
 * Delta sync of indexed repositories (docs/flows.md): reads every HEAD and indexed branch in batches, and starts a
 * child only for a repository that changed.
 */
export async function syncRepositories(input: SyncRepositoriesInput): Promise<CatalogFleetResult> {
  const { given, state, tracker } = startCatalogFleet(input);
  const { patterns, all, parallel } = await checked(syncRepositoriesFlow, given);
  const summary = `mgit heads of ${patterns?.join(', ') ?? 'all'}`.slice(0, 200);
  return workThroughFleet(state, tracker, {
    log: patternsLog('sync', patterns),
    parallel,
    page: (request) =>
      planActivities.findChanged.executeWithOptions({ summary }, [{ patterns: patterns ?? null, ...request }]),
    child: syncRepositoryFlow,
    // a repository that was removed while it waited must not be indexed again; a moved one is not indexed yet
    input: (planned) => ({
      repository: addressOf(planned),
      ...(planned.formerly === undefined ? { onlyIndexed: true } : {}),
      ...withBranches(planned.branches),
    }),
    record: (outcome, planned) => recordSynced(tracker, outcome, planned),
    about: lastIndexed,
    nextInput: (continued) => ({ ...(patterns ? { patterns } : { all }), parallel, continued }),
  });
}
