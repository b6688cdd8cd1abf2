import type { OnboardInput } from '../../domain/catalog/flows/flows.ts';
import type { FleetResult } from '../../domain/fleet/fleet.ts';
import { confirmation } from '../shared/confirmation.ts';
import { onboardRepositoriesFlow } from '../../domain/catalog/flows/fleet-flows.ts';
import { syncRepositoryFlow } from '../../domain/catalog/flows/repository-flows.ts';
import { checked } from '../shared/input.ts';
import { finding } from './activities.ts';
import { fleetName, fleetStart, FleetTracker, PAGE_SIZE, withBranches, workThroughFleet } from '../shared/fleet.ts';

/**
 * Initial onboarding by pattern (docs/flows.md): `mgit list`, optionally a person's confirmation, then one
 * `syncRepository` child for each repository that is not indexed yet.
 */
export async function onboardRepositories(input: OnboardInput): Promise<FleetResult> {
  const { given, state } = fleetStart(input);
  const tracker = new FleetTracker(state.progress);
  const answer = confirmation({
    text: 'Proceed with initial indexing?',
    isAsked: () => tracker.progress.stage === 'waiting for confirmation',
    progress: () => tracker.progress,
  });
  const { patterns, confirm, parallel } = await checked(onboardRepositoriesFlow, given);
  return workThroughFleet(state, tracker, {
    name: fleetName('sync', patterns),
    parallel,
    page: (after) =>
      finding.listUnindexed.executeWithOptions({ summary: `mgit list ${patterns.join(', ')}`.slice(0, 200) }, [
        { patterns, after, limit: PAGE_SIZE },
      ]),
    proceed: async () => {
      if (!confirm) return true;
      tracker.update({ stage: 'waiting for confirmation' });
      return (await answer()).proceed;
    },
    child: {
      type: syncRepositoryFlow.type,
      input: (repository, { branches }) => ({ repository, ...withBranches(branches) }),
    },
    record: (outcome) => tracker.succeeded(outcome),
    nextInput: (next) => ({ patterns, confirm: false, parallel, continued: next }),
  });
}
