import { addressOf, type CatalogFleetResult } from '../../domain/catalog/flows/fleet.ts';
import { onboardRepositoriesFlow } from '../../domain/catalog/flows/fleet-flows.ts';
import type { OnboardInput } from '../../domain/catalog/flows/flows.ts';
import { syncRepositoryFlow } from '../../domain/catalog/flows/repository-flows.ts';
import { confirmation } from '../shared/confirmation.ts';
import { workThroughFleet } from '../shared/fleet.ts';
import { checked } from '../shared/input.ts';
import { planActivities } from './activities.ts';
import { lastIndexed, patternsLog, recordSynced, startCatalogFleet, withBranches } from './fleet.ts';

/**
 * Initial onboarding by pattern (docs/flows.md): `mgit list`, optionally a person's confirmation, then one
 * `syncRepository` child for each repository that is not indexed yet.
 */
export async function onboardRepositories(input: OnboardInput): Promise<CatalogFleetResult> {
  const { given, state, tracker } = startCatalogFleet(input);
  const answer = confirmation({
    text: 'Proceed with initial indexing?',
    isAsked: () => tracker.status.stage === 'waiting for confirmation',
    progress: () => tracker.progress,
  });
  const { patterns, confirm, parallel } = await checked(onboardRepositoriesFlow, given);
  return workThroughFleet(state, tracker, {
    log: patternsLog('sync', patterns),
    parallel,
    page: (request) =>
      planActivities.listUnindexed.executeWithOptions({ summary: `mgit list ${patterns.join(', ')}`.slice(0, 200) }, [
        { patterns, ...request },
      ]),
    proceed: async () => {
      if (!confirm) return true;
      tracker.update({ stage: 'waiting for confirmation' });
      return (await answer()).proceed;
    },
    child: syncRepositoryFlow,
    input: (planned) => ({ repository: addressOf(planned), ...withBranches(planned.branches) }),
    record: (outcome, planned) => recordSynced(tracker, outcome, planned),
    about: lastIndexed,
    nextInput: (continued) => ({ patterns, confirm: false, parallel, continued }),
  });
}
