import { activityInfo } from '@temporalio/activity';

/** The flow that the current activity belongs to, and its run, as Temporal says; not as the flow claims. */
export function runningFlow(): { readonly workflowId: string; readonly runId: string } {
  const { workflowExecution } = activityInfo();
  return { workflowId: workflowExecution?.workflowId ?? '', runId: workflowExecution?.runId ?? '' };
}
