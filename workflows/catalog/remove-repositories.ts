import type { RemoveInput } from '../../domain/catalog/flows/flows.ts';
import type { FleetResult } from '../../domain/fleet/fleet.ts';
import { removeRepositoriesFlow } from '../../domain/catalog/flows/fleet-flows.ts';
import { removeRepositoryFlow } from '../../domain/catalog/flows/repository-flows.ts';
import { checked } from '../shared/input.ts';
import { finding } from './activities.ts';
import { fleetName, fleetStart, FleetTracker, PAGE_SIZE, workThroughFleet } from '../shared/fleet.ts';

/**
 * Removes matching repositories, or one branch of them, from the index; the repositories themselves are not changed.
 */
export async function removeRepositories(input: RemoveInput): Promise<FleetResult> {
  const { given, state } = fleetStart(input);
  const tracker = new FleetTracker(state.progress);
  const { patterns, parallel, branch } = await checked(removeRepositoriesFlow, given);
  const only = branch === undefined ? {} : { branch };
  return workThroughFleet(state, tracker, {
    name: fleetName('remove', patterns),
    parallel,
    page: (after) =>
      finding.findIndexed.executeWithOptions({ summary: `receipts of ${patterns.join(', ')}`.slice(0, 200) }, [
        { patterns, ...only, after, limit: PAGE_SIZE },
      ]),
    child: { type: removeRepositoryFlow.type, input: ({ id }) => ({ repository: id, ...only }) },
    record: (outcome) => tracker.succeeded(outcome),
    nextInput: (next) => ({ patterns, ...only, parallel, continued: next }),
  });
}
