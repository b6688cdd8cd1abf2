import type { Client, WorkflowHandleWithSignaledRunId } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { FollowInput, FollowResult, RepositoryEvent, RepositoryEvents } from '../domain/catalog/follow.ts';
import { repositoryName } from '../domain/catalog/repository.ts';
import { FLOWS_QUEUE } from './flows.ts';

/**
 * Tells the flow that follows a repository what happened to it, in the order in which it happened, and starts that flow unless it runs: in one request, after
 * which nothing is lost. `quietSeconds` counts for a flow that is started by this.
 */
export async function tellRepository(
  client: Client,
  { repository, quietSeconds }: FollowInput,
  events: readonly RepositoryEvent[],
): Promise<WorkflowHandleWithSignaledRunId<(input: FollowInput) => Promise<FollowResult>>> {
  const name = repositoryName(repository);
  return client.workflow.signalWithStart<(input: FollowInput) => Promise<FollowResult>, [RepositoryEvents]>(
    'followRepository',
    {
      taskQueue: FLOWS_QUEUE,
      workflowId: `follow/${repository}`,
      args: [{ repository, ...(quietSeconds === undefined ? {} : { quietSeconds }) }],
      signal: 'repositoryEvents',
      signalArgs: [{ events }],
      staticSummary: `follow ${name}`.slice(0, 200),
      typedSearchAttributes: [{ key: defineSearchAttributeKey('LonghaulRepository', 'KEYWORD'), value: name }],
    },
  );
}
