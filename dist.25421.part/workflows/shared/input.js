import { proxyLocalActivities } from '@temporalio/workflow';
const { checkInput } = proxyLocalActivities({
    startToCloseTimeout: '10 seconds',
    scheduleToCloseTimeout: '1 minute',
    retry: { maximumAttempts: 3 },
});
/**
 * The first step of every flow, because people start flows by hand: the input with its defaults filled in, or the
 * non-retryable failure `InvalidInput` that names the field.
 */
export async function checked(flow, input) {
    return (await checkInput({ flow, input }));
}
//# sourceMappingURL=input.js.map