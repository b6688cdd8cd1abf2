import { ApplicationFailure, condition, log, setHandler } from '@temporalio/workflow';
import type { Confirmation, FleetProgress, FleetResult, OnboardInput } from '../../domain/catalog/flows.ts';
import { checked } from '../shared/input.ts';
import { finding } from './activities.ts';
import { fleetStart, FleetTracker, PAGE_SIZE, workThroughFleet } from './fleet.ts';
import { confirmUpdate } from './messages.ts';

/**
 * Initial onboarding by pattern (seed 000, workflows 1 and 6): `mgit list`, optionally a person's confirmation, then one
 * `syncRepository` child for each repository that is not indexed yet.
 */
export async function onboardRepositories(input: OnboardInput): Promise<FleetResult> {
  const { given, state } = fleetStart(input);
  const tracker = new FleetTracker(state.progress);
  const answer = confirmation(tracker);
  const { patterns, confirm, parallel } = await checked<Required<OnboardInput>>('onboardRepositories', given);
  const group = patterns.join(', ');
  return workThroughFleet(state, tracker, {
    parallel,
    page: (after) =>
      finding.listUnindexed.executeWithOptions({ summary: `mgit list ${group}`.slice(0, 200) }, [
        { patterns, after, limit: PAGE_SIZE },
      ]),
    proceed: async (total) => {
      if (confirm && !(await answer()).proceed) return false;
      log.info('sync_group_start', { event: 'sync_group_start', group, repo_count: total });
      return true;
    },
    child: { type: 'syncRepository', input: (repository) => ({ repository }) },
    record: (outcome) => tracker.succeeded(outcome),
    nextInput: (next) => ({ patterns, confirm: false, parallel, continued: next }),
  });
}

/** Takes the update `confirm`; the function it returns waits for a person's answer, however long that takes. */
function confirmation(tracker: FleetTracker): () => Promise<Confirmation> {
  let answer: Confirmation | undefined;
  setHandler(
    confirmUpdate,
    (given: Confirmation): FleetProgress => {
      answer = { proceed: given.proceed, ...(given.by === undefined ? {} : { by: given.by }) };
      return tracker.progress;
    },
    {
      description: 'Proceed with initial indexing? {"proceed": true or false, "by": "name"}',
      validator: (given: Confirmation): void => {
        if (tracker.progress.stage !== 'waiting for confirmation' || answer !== undefined) {
          throw ApplicationFailure.nonRetryable('This run is not waiting for a confirmation.', 'InvalidInput');
        }
        if (typeof given?.proceed !== 'boolean') {
          throw ApplicationFailure.nonRetryable('proceed: give true or false.', 'InvalidInput');
        }
      },
    },
  );
  return async () => {
    tracker.update({ stage: 'waiting for confirmation' });
    await condition(() => answer !== undefined);
    return answer ?? { proceed: false };
  };
}
