import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ApplicationFailure, executeChild, ParentClosePolicy, workflowInfo } from '@temporalio/workflow';
import { busy } from '../shared/failure.ts';

/**
 * Does the work when this run has the id that is the repository's lock. A run that a person started under another id hands
 * it to a child of the same type that has; `RepositoryBusy` when somebody else holds it.
 */
export async function underLock<Result>(
  type: string,
  id: string,
  input: object,
  work: () => Promise<Result>,
): Promise<Result> {
  const workflowId = `sync/${id}`;
  if (workflowInfo().workflowId === workflowId) return work();
  try {
    return await executeChild<(child: object) => Promise<Result>>(type, {
      workflowId,
      args: [input],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const failure = busy(id);
    throw ApplicationFailure.nonRetryable(failure.error, failure.type);
  }
}
