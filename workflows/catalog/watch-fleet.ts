import {
  type ActivityOptions,
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { AlertActivities } from '../../activities/catalog/alerts.ts';
import type { FleetWatch } from '../../domain/catalog/groups/fleet-watch.ts';
import { type AlertChanges, alertChanges, isUnchanged, withMissed } from '../../domain/catalog/groups/alerts.ts';
import { NON_RETRYABLE } from '../../domain/shared/failures.ts';
import { watchFleetFlow } from '../../domain/catalog/flows/group-flows.ts';
import { failureOf } from '../shared/failure.ts';
import { checked } from '../shared/input.ts';
import { isPatched } from '../shared/patches.ts';

const options = {
  scheduleToCloseTimeout: '1 hour',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '2 seconds', maximumInterval: '2 minutes', nonRetryableErrorTypes: [...NON_RETRYABLE] },
} satisfies Omit<ActivityOptions, 'startToCloseTimeout'>;

const { channels, tellChannel } = proxyActivities<AlertActivities>({ ...options, startToCloseTimeout: '2 minutes' });
/** Reads the latest runs of each group from Temporal: there may be a thousand groups. */
const { watch } = proxyActivities<AlertActivities>({ ...options, startToCloseTimeout: '20 minutes' });

/**
 * Checks all groups, started by its schedule, and sends every channel the alerts raised and resolved since the run
 * before. A failing channel does not block the others. The next run retries it; the others do not get the alert twice:
 * the run's failure records what each channel missed.
 */
export async function watchFleet(input?: unknown): Promise<FleetWatch> {
  if (isPatched('input-is-checked')) await checked(watchFleetFlow, input);
  const { before, now } = await watch.executeWithOptions({ summary: 'check all groups' }, []);
  const changes = alertChanges(before?.alerts ?? [], now.alerts);
  const missed = before?.untold ?? {};
  if (isUnchanged(changes) && Object.keys(missed).length === 0) return now;
  const left: Record<string, AlertChanges> = {};
  let failure: unknown = null;
  const notify = async (channel: string): Promise<void> => {
    const earlier = missed[channel];
    const unsent = earlier === undefined ? changes : withMissed(changes, earlier, now.alerts);
    if (isUnchanged(unsent)) return;
    try {
      const message = { id: workflowInfo().runId, at: now.at, ...unsent };
      await tellChannel.executeWithOptions({ summary: channel }, [{ channel, news: message }]);
    } catch (error) {
      if (isCancellation(error)) throw error;
      left[channel] = unsent;
      failure ??= error;
    }
  };
  await Promise.all((await channels.executeWithOptions({ summary: 'list the alert channels' }, [])).map(notify));
  if (failure === null) return now;
  const { type, error } = failureOf(failure);
  throw ApplicationFailure.create({ type, message: error, nonRetryable: true, details: [{ ...now, untold: left }] });
}
