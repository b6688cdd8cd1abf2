import { proxyLocalActivities } from '@temporalio/workflow';
import type { InputActivities } from '../../activities/shared/input.ts';
import type { AnyFlow, CheckedOf } from '../../domain/shared/flow.ts';

const { checkInput } = proxyLocalActivities<InputActivities>({
  startToCloseTimeout: '10 seconds',
  scheduleToCloseTimeout: '1 minute',
  retry: { maximumAttempts: 3 },
});

/**
 * The first step of every flow, because people can start flows directly in Temporal: returns the input with its
 * defaults filled in, as the declaration types it. Fails with the non-retryable `InvalidInput`, which names the field.
 */
export async function checked<Declared extends AnyFlow>(flow: Declared, input: unknown): Promise<CheckedOf<Declared>> {
  return checkInput({ flow: flow.type, input });
}
