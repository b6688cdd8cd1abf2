import { continueAsNew, defineSignal, isCancellation, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { FollowActivities } from '../../activities/catalog/follow.ts';
import { type Delivery, readDeliveries } from '../../domain/forge/repository-event.ts';
import { NON_RETRYABLE } from '../../domain/shared/failures.ts';
import { tell } from '../shared/events.ts';
import { collected } from '../shared/quiet.ts';

const { tellRepositories } = proxyActivities<FollowActivities>({
  // installing an app may produce events of thousands of repositories at once
  startToCloseTimeout: '1 hour',
  scheduleToCloseTimeout: '24 hours',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute', nonRetryableErrorTypes: [...NON_RETRYABLE] },
});

/** Deliveries from forges: {@link Deliveries}. */
const deliveries = defineSignal<[unknown]>('deliveries');

/** Deliveries within this many milliseconds are forwarded together. */
const PATIENCE = { quietMs: 250, longestMs: 5_000 };

/**
 * Takes deliveries of forges about any repository, and forwards them to the flows that follow these repositories.
 * Started with its signal, under the id `deliveries`; ends when no more arrive, with a failure when something could not
 * be forwarded. The gateway's answer therefore waits for a single write of the server, regardless of the number of
 * repositories.
 */
export async function takeDeliveries(input: { readonly continued?: readonly Delivery[] }): Promise<{ taken: number }> {
  const isContinued = workflowInfo().continuedFromExecutionRunId !== undefined;
  const inbox = collected<Delivery>(deliveries, (isContinued ? input?.continued : undefined) ?? [], {
    description: 'What forges say: {"deliveries": [{"repository": "work/acme/api", "event": {"kind": "pushed"}}]}',
    patience: () => PATIENCE,
    add: (pending, given) => {
      const read = readDeliveries(given);
      pending.push(...read);
      return read.length > 0;
    },
  });
  let taken = 0;
  let failure: unknown = null;
  do {
    const came = await inbox.take();
    taken += came.length;
    if (came.length > 0) {
      const summary = `${came.length} of ${new Set(came.map(({ repository }) => repository)).size} repositories`;
      try {
        await tellRepositories.executeWithOptions({ summary }, [{ deliveries: came }]);
      } catch (error) {
        if (isCancellation(error)) throw error;
        // deliveries that arrived meanwhile must not be lost
        failure = error;
        tell('deliveries_lost', { count: came.length, summary });
      }
    }
    if (inbox.pending.length > 0 && workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof takeDeliveries>({ continued: [...inbox.pending] });
    }
  } while (inbox.pending.length > 0);
  if (failure !== null) throw failure;
  return { taken };
}
