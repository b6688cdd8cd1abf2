import { getClient } from '@temporalio/activity';
import type { Client, WorkflowHandleWithSignaledRunId } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import pLimit from 'p-limit';
import {
  byRepository,
  type Delivery,
  type FollowInput,
  type FollowResult,
  type RepositoryEvent,
  type RepositoryEvents,
} from '../domain/catalog/follow.ts';
import { repositoryName } from '../domain/catalog/repository.ts';

/** Repositories that are told at the same time: few, so that what forges say meanwhile finds the server free. */
const AT_ONCE = 1;

/** The activities of the role `flows` that need Temporal itself. */
export interface FollowActivities {
  /** Tells the flows of all repositories what came for them. Twice is once: they know deliveries again. */
  tellRepositories(request: { readonly deliveries: readonly Delivery[] }): Promise<void>;
}

/** See {@link FollowActivities}. */
export function createFollowActivities(): FollowActivities {
  return {
    async tellRepositories({ deliveries }) {
      const client = getClient();
      await pLimit(AT_ONCE).map([...byRepository(deliveries)], ([repository, came]) => {
        const quietSeconds = came[0]?.quietSeconds;
        const input = { repository, ...(quietSeconds === undefined ? {} : { quietSeconds }) };
        return tellRepository(
          client,
          input,
          came.map(({ event }) => event),
        );
      });
    },
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
    'followRepository',
    {
      taskQueue: 'longhaul-flows',
      workflowId: `follow/${repository}`,
      args: [{ repository, ...(quietSeconds === undefined ? {} : { quietSeconds }) }],
      signal: 'repositoryEvents',
      signalArgs: [{ events }],
      staticSummary: `follow ${name}`.slice(0, 200),
      typedSearchAttributes: [{ key: defineSearchAttributeKey('LonghaulRepository', 'KEYWORD'), value: name }],
    },
  );
}
