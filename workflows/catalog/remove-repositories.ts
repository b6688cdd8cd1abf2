import type { CatalogFleetResult } from '../../domain/catalog/flows/fleet.ts';
import { removeRepositoriesFlow } from '../../domain/catalog/flows/fleet-flows.ts';
import type { RemoveInput } from '../../domain/catalog/flows/flows.ts';
import { removeRepositoryFlow } from '../../domain/catalog/flows/repository-flows.ts';
import { workThroughFleet } from '../shared/fleet.ts';
import { checked } from '../shared/input.ts';
import { planActivities } from './activities.ts';
import { addOutcome, lastIndexed, patternsLog, startCatalogFleet } from './fleet.ts';

/**
 * Removes matching repositories, or one branch of them, from the index; the repositories themselves are not changed.
 */
export async function removeRepositories(input: RemoveInput): Promise<CatalogFleetResult> {
  const { given, state, tracker } = startCatalogFleet(input);
  const { patterns, parallel, branch } = await checked(removeRepositoriesFlow, given);
  const only = branch === undefined ? {} : { branch };
  return workThroughFleet(state, tracker, {
    log: patternsLog('remove', patterns),
    parallel,
    page: (request) =>
      planActivities.findIndexed.executeWithOptions({ summary: `receipts of ${patterns.join(', ')}`.slice(0, 200) }, [
        { patterns, ...only, ...request },
      ]),
    child: removeRepositoryFlow,
    input: ({ id }) => ({ repository: id, ...only }),
    record: (outcome) => {
      addOutcome(tracker, outcome);
      return null;
    },
    about: lastIndexed,
    nextInput: (continued) => ({ patterns, ...only, parallel, continued }),
  });
}
