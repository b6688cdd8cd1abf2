import { activityInfo, getClient } from '@temporalio/activity';
import type { Client, WorkflowHandleWithSignaledRunId } from '@temporalio/client';
import type { FollowInput, FollowResult } from '../../domain/catalog/flows/follow.ts';
import { followRepositoryFlow } from '../../domain/catalog/flows/follow-flows.ts';
import {
  byRepository,
  type Delivery,
  type RepositoryEvent,
  type RepositoryEvents,
} from '../../domain/forge/repository-event.ts';
import { parseInput } from '../../domain/shared/flow.schema.ts';
import { heartbeating } from '../shared/heartbeating.ts';
import { startOptions } from '../shared/start-options.ts';

/** The activities of the role `flows` that need Temporal itself. */
export interface FollowActivities {
  /**
   * Signals the flows of all repositories, one after another, so that the server has capacity for new deliveries
   * meanwhile. A retry continues where the last attempt ended. Duplicates are harmless: the flows recognise deliveries.
   */
  tellRepositories(request: { readonly deliveries: readonly Delivery[] }): Promise<void>;
}

/** See {@link FollowActivities}. */
export function createFollowActivities(): FollowActivities {
  return {
    tellRepositories: ({ deliveries }) =>
      heartbeating(async (signal, report) => {
        const client = getClient();
        let done = (activityInfo().heartbeatDetails as number | undefined) ?? 0;
        report(done);
        for (const [repository, received] of [...byRepository(deliveries)].slice(done)) {
          signal.throwIfAborted();
          const quietSeconds = received[0]?.quietSeconds;
          const input = { repository, ...(quietSeconds === undefined ? {} : { quietSeconds }) };
          const events = received.map(({ event }) => event);
          await signalRepository(client, input, events);
          report(++done);
        }
      }),
  };
}

/**
 * Signals the flow that follows a repository, with events in order, and starts it unless it runs: one request, after
 * which nothing is lost. `quietSeconds` applies to a flow that this call starts.
 */
export async function signalRepository(
  client: Client,
  { repository, quietSeconds }: FollowInput,
  events: readonly RepositoryEvent[],
): Promise<WorkflowHandleWithSignaledRunId<(input: FollowInput) => Promise<FollowResult>>> {
  const input = parseInput(followRepositoryFlow, {
    repository,
    ...(quietSeconds === undefined ? {} : { quietSeconds }),
  });
  return client.workflow.signalWithStart<(input: FollowInput) => Promise<FollowResult>, [RepositoryEvents]>(
    followRepositoryFlow.type,
    { ...startOptions(followRepositoryFlow, input), signal: 'repositoryEvents', signalArgs: [{ events }] },
  );
}
