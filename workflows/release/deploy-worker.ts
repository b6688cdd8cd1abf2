import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import { deployActivities } from './activities.ts';

/** Longest wait for a worker of the role `deploy` where a person waits for the answer: not every installation has one. */
export const BRIEF_QUEUE = '30 seconds';
/** The same for a deployment, whose worker may be restarting. */
export const PATIENT_QUEUE = '10 minutes';

/** The public key that manifests are sealed to. Throws `ServerUnavailable` when no worker of the role answers in time. */
export function sealingKey(longestQueue: typeof BRIEF_QUEUE | typeof PATIENT_QUEUE): Promise<string> {
  const options = { scheduleToStartTimeout: longestQueue, summary: 'ask for the key of the manifests' } as const;
  return deployActivities.sealingKey.executeWithOptions(options, []).catch(failWithoutWorker);
}

/** Throws the failure of an activity; that no worker took it in time, as a sentence. */
export function failWithoutWorker(error: unknown): never {
  const cause = error instanceof ActivityFailure ? error.cause : null;
  if (cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START') {
    throw ApplicationFailure.nonRetryable(
      'No worker serves the role deploy: start one with `longhaul worker --roles deploy`.',
      'ServerUnavailable',
    );
  }
  throw error;
}
