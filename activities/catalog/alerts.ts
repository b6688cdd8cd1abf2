import { activityInfo, getClient } from '@temporalio/activity';
import { type Client, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { alertsOf, type WatchedGroup } from '../../domain/catalog/groups/alerts.ts';
import type { FleetWatch } from '../../domain/catalog/groups/fleet-watch.ts';
import type { Config } from '../../domain/config/config.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { send } from '../alerts/channels.ts';
import { type AlertMessage, alertsAsMessage } from './alerts/message.ts';
import { unlessForgotten, watchScheduleId } from './alerts/schedule.ts';
import { isOpen } from '../../domain/shared/run-status.ts';
import { type GroupView, viewGroups } from './groups/view.ts';
import { heartbeating } from '../shared/heartbeating.ts';
import { unpolledQueues } from '../shared/unpolled-queues.ts';

/** The activities that check the groups. Task queue `longhaul-flows`: they must run even when no other worker does. */
export interface AlertActivities {
  /** Checks groups and task queues, and reads what the run before this one found; null when there was none. */
  watch(): Promise<{ readonly before: FleetWatch | null; readonly now: FleetWatch }>;
  /** Sends alert changes to one channel. */
  tellChannel(request: { readonly channel: string; readonly news: Omit<AlertMessage, 'index'> }): Promise<void>;
  /** Names of the channels. */
  channels(): Promise<readonly string[]>;
}

/** See {@link AlertActivities}. */
export function createAlertActivities(config: Config, env: NodeJS.ProcessEnv): AlertActivities {
  const index = config.index.name;
  const { channels, staleAfter, failingRuns } = config.alerts;
  return {
    watch: () =>
      heartbeating(async () => {
        const client = getClient();
        const at = new Date().toISOString();
        const [before, { groups, runs }, unpolled] = await Promise.all([
          watchedBefore(client, index),
          viewGroups(client, index),
          unpolledQueues(client),
        ]);
        const watched = groups.map((group): WatchedGroup => {
          const own = runs.filter((run) => run.group === group.group.name);
          return watchedGroup(group, own);
        });
        const fleet = { at, groups: watched, unpolled, missedBefore: before?.missed ?? {} };
        const alerts = alertsOf(fleet, { staleAfterSeconds: staleAfter, failingRuns });
        const missed = Object.fromEntries(watched.map((group) => [group.name, group.missed]));
        return { before, now: { at, alerts, missed } };
      }),

    tellChannel: ({ channel: name, news }) =>
      heartbeating(async (signal) => {
        const channel = channels.find((one) => one.name === name);
        if (!channel)
          throw new LonghaulError('InvalidConfiguration', `The alert channel ${name} is no longer configured.`);
        await send(channel, alertsAsMessage({ ...news, index }), env, signal);
      }),

    channels: () => Promise.resolve(channels.map(({ name }) => name)),
  };
}

/** The result of the latest run. Temporal passes results on to scheduled runs, but not to manually triggered ones. */
async function watchedBefore(client: Client, index: string): Promise<FleetWatch | null> {
  const { info } = await client.schedule.getHandle(watchScheduleId(index)).describe();
  const own = activityInfo().workflowExecution?.workflowId;
  const earlier = info.recentActions.map(({ action }) => action.workflow.workflowId).filter((id) => id !== own);
  for (const id of earlier.toReversed()) {
    const handle = client.workflow.getHandle<() => Promise<FleetWatch>>(id);
    // a run that Temporal no longer has sent its alerts long ago
    const status = (await handle.describe().catch(unlessForgotten))?.status.name;
    const found = status === 'COMPLETED' || status === 'FAILED' ? await handle.result().catch(watchIn) : null;
    if (found !== null) return found;
  }
  return null;
}

/** The findings of a run that could not notify every channel, from its failure. Null for a run that failed earlier. */
function watchIn(error: unknown): FleetWatch | null {
  if (!(error instanceof WorkflowFailedError)) throw error;
  const { cause } = error;
  const [found] = cause instanceof ApplicationFailure ? ((cause.details ?? []) as FleetWatch[]) : [];
  return found?.untold === undefined ? null : found;
}

function watchedGroup(
  { group, isPaused, missed, completeAt }: GroupView,
  runs: Awaited<ReturnType<typeof viewGroups>>['runs'],
): WatchedGroup {
  return {
    name: group.name,
    isPaused,
    missed,
    completeAt,
    firstRunAt: runs[0]?.startedAt ?? null,
    runs: runs
      .filter(({ status }) => !isOpen(status))
      .map(({ status, result }) => ({
        status,
        failed: result?.failures.map(({ repository }) => repository) ?? [],
      })),
  };
}
