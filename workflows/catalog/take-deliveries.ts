import {
  ApplicationFailure,
  continueAsNew,
  defineSignal,
  isCancellation,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { FollowActivities } from '../../activities/catalog/follow.ts';
import { takeDeliveriesFlow } from '../../domain/catalog/flows/follow-flows.ts';
import { deliveriesProgress } from '../../domain/catalog/flows/progress.ts';
import { slicesOf } from '../../domain/forge/delivery-slices.ts';
import { type Delivery, readDeliveries } from '../../domain/forge/repository-event.ts';
import { NON_RETRYABLE } from '../../domain/shared/failures.ts';
import { logEvent } from '../shared/events.ts';
import { failureOf } from '../shared/failure.ts';
import { checked } from '../shared/input.ts';
import { isPatched } from '../shared/patches.ts';
import { answerProgress } from '../shared/progress.ts';
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

/** State passed to the next run. Plain JSON. */
interface DeliveriesState {
  readonly pending: readonly Delivery[];
  readonly taken: number;
  /** The last failure to forward deliveries; null when there was none. */
  readonly failure: { readonly type: string; readonly error: string } | null;
}

/**
 * The flow's input: empty, or the state that another run of the flow passes on. Up to 0.4.0 that was only the pending
 * deliveries.
 */
interface TakeDeliveriesInput {
  readonly continued?: DeliveriesState | readonly Delivery[];
}

/**
 * Receives deliveries from forges about any repository, and forwards them to the flows that follow these repositories.
 * Started with its signal, under the id `deliveries`; ends when no more arrive, and fails if any delivery could not be
 * forwarded. So the gateway answers a forge after a single write to Temporal, whatever the number of repositories.
 */
export async function takeDeliveries(input?: TakeDeliveriesInput): Promise<{ taken: number }> {
  const before = stateOf(input);
  const inbox = collected<Delivery>(deliveries, before.pending, {
    description:
      'Deliveries from forges: {"deliveries": [{"repository": "work/acme/api", "event": {"kind": "pushed"}}]}',
    patience: () => PATIENCE,
    add: (pending, given) => {
      const read = readDeliveries(given);
      pending.push(...read);
      return read.length > 0;
    },
  });
  let { taken, failure } = before;
  let left: readonly Delivery[] = [];
  answerProgress(() =>
    deliveriesProgress({ taken, inHand: left.length, pending: inbox.pending.length, failure: failure?.error ?? null }),
  );
  const { continued: _state, ...given } = input ?? {};
  if (isPatched('input-is-checked')) await checked(takeDeliveriesFlow, given);
  do {
    left = await inbox.take();
    taken += left.length;
    for (const batch of slices(left)) {
      const summary = `${batch.length} of ${new Set(batch.map(({ repository }) => repository)).size} repositories`;
      try {
        await tellRepositories.executeWithOptions({ summary }, [{ deliveries: batch }]);
      } catch (error) {
        if (isCancellation(error)) throw error;
        // deliveries that arrived meanwhile must not be lost
        failure = failureOf(error);
        logEvent('deliveries_lost', { count: batch.length, summary });
      }
      left = left.slice(batch.length);
    }
    // pending deliveries that do not fit into one payload are forwarded first: another run could overtake this one
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

/**
 * The deliveries of each activity, which fit into one payload. Up to 0.4.0 one activity got all, and such a run
 * replays.
 */
function slices(pending: readonly Delivery[]): readonly (readonly Delivery[])[] {
  const parts = slicesOf(pending);
  return parts.length > 1 && !isPatched('deliveries-in-slices') ? [pending] : parts;
}
