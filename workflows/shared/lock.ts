import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ApplicationFailure, executeChild, ParentClosePolicy, workflowInfo } from '@temporalio/workflow';

/** Work that only one run at a time may do. */
export interface Locked<Result> {
  /** The workflow id that is the lock. */
  readonly workflowId: string;
  /** The workflow type, with its input, that does the work under that id. */
  readonly type: string;
  readonly input: object;
  readonly work: () => Promise<Result>;
  /** The failure when another run holds the lock. */
  readonly busy: { readonly type: string; readonly error: string };
}

/**
 * Does the work when this run has the lock's workflow id; a run that a person started under another id starts a child
 * with that id.
 */
export async function underLock<Result>({ workflowId, type, input, work, busy }: Locked<Result>): Promise<Result> {
  if (workflowInfo().workflowId === workflowId) return work();
  try {
    return await executeChild<(child: object) => Promise<Result>>(type, {
      workflowId,
      args: [input],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw ApplicationFailure.nonRetryable(busy.error, busy.type);
  }
}
