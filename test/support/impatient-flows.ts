import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

/**
 * Differs from the product's flows only in timeouts: a dead worker is detected, and its work given to another, in three
 * seconds.
 */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleActivity: (input, next) => {
        const { retry } = input.options;
        const options = { ...input.options, heartbeatTimeout: 3_000, retry: { ...retry, initialInterval: 200 } };
        return next({ ...input, options });
      },
      startChildWorkflowExecution: (input, next) =>
        next({ ...input, options: { ...input.options, workflowTaskTimeout: 5_000 } }),
    },
  ],
});
