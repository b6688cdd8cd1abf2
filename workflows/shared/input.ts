import { proxyLocalActivities } from '@temporalio/workflow';
import type { InputActivities } from '../../activities/shared/input.ts';

const { checkInput } = proxyLocalActivities<InputActivities>({
  startToCloseTimeout: '10 seconds',
  scheduleToCloseTimeout: '1 minute',
  retry: { maximumAttempts: 3 },
});

/**
 * The first step of every flow, because people start flows by hand: the input with its defaults filled in, or the
 * non-retryable failure `InvalidInput` that names the field.
 */
export async function checked<Checked>(flow: string, input: unknown): Promise<Checked> {
  return (await checkInput({ flow, input })) as Checked;
}
