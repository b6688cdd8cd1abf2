import {
  ApplicationFailure,
  continueAsNew,
  defineSignal,
  isCancellation,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { FollowActivities } from '../../activities/catalog/follow.ts';
import { slicesOf } from '../../domain/forge/delivery-slices.ts';
import { type Delivery, readDeliveries } from '../../domain/forge/repository-event.ts';
import { NON_RETRYABLE } from '../../domain/shared/failures.ts';
import { logEvent } from '../shared/events.ts';
import { failureOf } from '../shared/failure.ts';
import { isPatched } from '../shared/patches.ts';
import { collected } from '../shared/quiet.ts';

const { tellRepositories } = proxyActivities<FollowActivities>({
  // installing an app can produce events for thousands of repositories in a moment
  startToCloseTimeout: '1 hour',
  scheduleToCloseTimeout: '24 hours',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute', nonRetryableErrorTypes: [...NON_RETRYABLE] },
});

/** Deliveries from forges: {@link Deliveries}. */
const deliveries = defineSignal<[unknown]>('deliveries');

/** Deliveries within this many milliseconds are forwarded together. */
const PATIENCE = { quietMs: 250, longestMs: 5_000 };

/** What one run passes to the next. Plain JSON. */
interface DeliveriesState {
  readonly pending: readonly Delivery[];
  readonly taken: number;
  /** Why something could not be passed on, the last time; null when everything was. */
  readonly failure: { readonly type: string; readonly error: string } | null;
}

/** What the flow is started with: nothing, or the state of the run before it. Up to 0.4.0 that was what is pending only. */
interface TakeDeliveriesInput {
  readonly continued?: DeliveriesState | readonly Delivery[];
}

/**
 * Takes deliveries of forges about any repository, and forwards them to the flows that follow these repositories.
 * Started with its signal, under the id `deliveries`; ends when no more arrive, with a failure when something could not
 * be forwarded. The gateway's answer therefore waits for a single write of the server, regardless of the number of
 * repositories.
 */
export async function takeDeliveries(input: TakeDeliveriesInput): Promise<{ taken: number }> {
  const before = stateOf(input);
  const inbox = collected<Delivery>(deliveries, before.pending, {
    description: 'What forges say: {"deliveries": [{"repository": "work/acme/api", "event": {"kind": "pushed"}}]}',
    patience: () => PATIENCE,
    add: (pending, given) => {
      const read = readDeliveries(given);
      pending.push(...read);
      return read.length > 0;
    },
  });
  let { taken, failure } = before;
  do {
    const pending = await inbox.take();
    taken += pending.length;
    for (const came of slices(pending)) {
      const summary = `${came.length} of ${new Set(came.map(({ repository }) => repository)).size} repositories`;
      try {
        await tellRepositories.executeWithOptions({ summary }, [{ deliveries: came }]);
      } catch (error) {
        if (isCancellation(error)) throw error;
        // deliveries that arrived meanwhile must not be lost
        failure = failureOf(error);
        logEvent('deliveries_lost', { count: came.length, summary });
      }
    }
    // more than one payload holds is passed on first
    if (slicesOf(inbox.pending).length === 1 && workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof takeDeliveries>({ continued: { pending: [...inbox.pending], taken, failure } });
    }
  } while (inbox.pending.length > 0);
  if (failure !== null) throw ApplicationFailure.nonRetryable(failure.error, failure.type);
  return { taken };
}

function stateOf(input: TakeDeliveriesInput | undefined): DeliveriesState {
  const fresh: DeliveriesState = { pending: [], taken: 0, failure: null };
  const continued = workflowInfo().continuedFromExecutionRunId === undefined ? undefined : input?.continued;
  if (continued === undefined) return fresh;
  return 'pending' in continued ? continued : { ...fresh, pending: continued };
}

/** One payload for each activity. A run of up to 0.4.0 handed everything to one, and replays so. */
function slices(came: readonly Delivery[]): readonly (readonly Delivery[])[] {
  const parts = slicesOf(came);
  return parts.length > 1 && !isPatched('deliveries-in-slices') ? [came] : parts;
}
