import { activityInfo, getClient } from '@temporalio/activity';
import type { Client, WorkflowHandleWithSignaledRunId } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { FollowInput, FollowResult } from '../../domain/catalog/flows/follow.ts';
import { followRepositoryFlow } from '../../domain/catalog/flows/follow-flows.ts';
import {
  byRepository,
  type Delivery,
  type RepositoryEvent,
  type RepositoryEvents,
} from '../../domain/forge/repository-event.ts';
import { repositoryName } from '../../domain/git/repository.ts';
import { heartbeating } from '../shared/heartbeating.ts';

/** The activities of the role `flows` that need Temporal itself. */
export interface FollowActivities {
  /**
   * Tells the flows of all repositories what came for them, one after another, so that what forges say meanwhile finds the server
   * free. Another try goes on where this one ended. Twice is once: they know deliveries again.
   */
  tellRepositories(request: { readonly deliveries: readonly Delivery[] }): Promise<void>;
}

/** See {@link FollowActivities}. */
export function createFollowActivities(): FollowActivities {
  return {
    tellRepositories: ({ deliveries }) =>
      heartbeating(async (signal, report) => {
        const client = getClient();
        let told = (activityInfo().heartbeatDetails as number | undefined) ?? 0;
        report(told);
        for (const [repository, came] of [...byRepository(deliveries)].slice(told)) {
          signal.throwIfAborted();
          const quietSeconds = came[0]?.quietSeconds;
          const input = { repository, ...(quietSeconds === undefined ? {} : { quietSeconds }) };
          const events = came.map(({ event }) => event);
          await tellRepository(client, input, events);
          report(++told);
        }
      }),
  };
}

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
    followRepositoryFlow.type,
    {
      taskQueue: followRepositoryFlow.queue,
      workflowId: `follow/${repository}`,
      args: [{ repository, ...(quietSeconds === undefined ? {} : { quietSeconds }) }],
      signal: 'repositoryEvents',
      signalArgs: [{ events }],
      staticSummary: `follow ${name}`.slice(0, 200),
      typedSearchAttributes: [{ key: defineSearchAttributeKey('LonghaulRepository', 'KEYWORD'), value: name }],
    },
  );
}
