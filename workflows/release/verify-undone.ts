import { ApplicationFailure } from '@temporalio/workflow';
import type { DeploymentInput } from '../../activities/release/environment-changes.ts';
import type { PreviousRelease } from '../../domain/release/deployment/deployment.ts';
import type { EnvironmentChange } from '../../domain/release/flows/deploy-flows.ts';
import { changeActivities, hookActivities } from './activities.ts';
import { placeOf } from './plan-deployment.ts';

/** Seconds until everything must be healthy again after an undo. */
const HEALTHY_AGAIN_SECONDS = 600;

/**
 * Compares everything with what was before a deployment, when all of it is undone: it must be as it was, ready, and healthy
 * by the checks of the release that was there. Throws `UndoFailed`.
 */
export async function verifyUndone(
  given: EnvironmentChange,
  target: DeploymentInput,
  previous: PreviousRelease | null,
): Promise<void> {
  const before = previous === null ? null : await servicesBefore(given, previous);
  const differences = await changeActivities.verifyUndone.executeWithOptions({ summary: 'compare with before' }, [
    {
      ...target,
      seconds: HEALTHY_AGAIN_SECONDS,
      before: before && { contracts: before.contracts, services: before.services },
    },
  ]);
  if (differences.length > 0) throw undoFailed(differences);
  if (before === null || before.checked.length === 0) return;
  const { contracts, packed, checked } = before;
  const { failing } = await hookActivities.watchByProgram.executeWithOptions({ summary: 'health by programs' }, [
    { ...target, contracts, packed, services: checked, seconds: 0 },
  ]);
  if (failing.length > 0) throw undoFailed(failing);
}

/** What was there before of the services that were deployed. */
async function servicesBefore(given: EnvironmentChange, { packed, contracts, services: had }: PreviousRelease) {
  const { place } = await placeOf({ ...given, packed, contracts });
  const services = place.services.filter(({ name }) => had.includes(name));
  const checked = services.filter(({ hasPrograms }) => hasPrograms);
  return { packed, contracts, services: services.map(({ name }) => name), checked: checked.map(({ name }) => name) };
}

function undoFailed(reasons: readonly string[]): ApplicationFailure {
  return ApplicationFailure.nonRetryable(reasons.join(' '), 'UndoFailed');
}
