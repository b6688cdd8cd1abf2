import { log } from '@temporalio/workflow';
import type { FleetResult, OnboardInput } from '../../domain/catalog/flows.ts';
import { confirmation } from '../shared/confirmation.ts';
import { checked } from '../shared/input.ts';
import { finding } from './activities.ts';
import { fleetStart, FleetTracker, PAGE_SIZE, workThroughFleet } from './fleet.ts';

/**
 * Initial onboarding by pattern (seed 000, workflows 1 and 6): `mgit list`, optionally a person's confirmation, then one
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
  const { patterns, confirm, parallel } = await checked<Required<OnboardInput>>('onboardRepositories', given);
  const group = patterns.join(', ');
  return workThroughFleet(state, tracker, {
    parallel,
    page: (after) =>
      finding.listUnindexed.executeWithOptions({ summary: `mgit list ${group}`.slice(0, 200) }, [
        { patterns, after, limit: PAGE_SIZE },
      ]),
    proceed: async (total) => {
      if (confirm) {
        tracker.update({ stage: 'waiting for confirmation' });
        if (!(await answer()).proceed) return false;
      }
      log.info('sync_group_start', { event: 'sync_group_start', group, repo_count: total });
      return true;
    },
    child: { type: 'syncRepository', input: (repository) => ({ repository }) },
    record: (outcome) => tracker.succeeded(outcome),
    nextInput: (next) => ({ patterns, confirm: false, parallel, continued: next }),
  });
}
