import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';
import type { FleetResult } from '../../../domain/fleet/fleet.ts';
import { syncGroupFlow } from '../../../domain/catalog/flows/group-flows.ts';
import { groupScheduleId } from '../../../domain/catalog/groups/sync-groups.ts';
import { createGroupSchedules, type ScheduledGroup } from './schedules.ts';

/** One run of a sync group. */
export interface GroupRun {
  readonly group: string;
  readonly workflowId: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** How long it took; null while it runs. */
  readonly seconds: number | null;
  /** Temporal's name of how it ended, or `RUNNING`. */
  readonly status: string;
  /** Null unless it completed. */
  readonly result: FleetResult | null;
}

/** A sync group as an operator looks at it. */
export interface GroupView extends ScheduledGroup {
  readonly latest: GroupRun | null;
  /**
   * When the latest run began after which nothing of the group was left to do, ISO 8601: how far behind the group is. Null when
   * that was none of the latest.
   */
  readonly completeAt: string | null;
}

/** The groups of an index, and their latest runs. */
export interface GroupsView {
  readonly groups: readonly GroupView[];
  /** Of each group the {@link RUNS_KEPT} latest runs that Temporal remembers, oldest first. */
  readonly runs: readonly GroupRun[];
}

/** Runs of a group whose results are read. */
const RUNS_KEPT = 10;
/** Groups that are asked about at the same time. */
const AT_ONCE = 8;

/** Looks at the groups of the index called `index`. */
export async function viewGroups(client: Client, index: string): Promise<GroupsView> {
  const scheduled = await createGroupSchedules(client, index).list();
  const limit = pLimit(AT_ONCE);
  const runs = await limit.map(scheduled, ({ group }) =>
    runsOf(client, group.name, groupScheduleId(index, group.name)),
  );
  return {
    groups: scheduled.map((group, at) => groupView(group, runs[at] ?? [])),
    runs: runs.flat().sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1)),
  };
}

/** The latest runs of a group, oldest first. */
async function runsOf(client: Client, group: string, scheduleId: string): Promise<GroupRun[]> {
  const query = `WorkflowType = '${syncGroupFlow.type}' AND WorkflowId STARTS_WITH '${scheduleId}-' AND ExecutionStatus != 'ContinuedAsNew'`;
  const runs: Promise<GroupRun>[] = [];
  // newest first
  for await (const { workflowId, runId, startTime, closeTime, status } of client.workflow.list({ query })) {
    // Temporal adds the time of the schedule to the id; the name of another group may begin like this one's
    if (!/^-\d{4}-\d\d-\d\dT[\d:]+Z$/.test(workflowId.slice(scheduleId.length))) continue;
    const handle = client.workflow.getHandle<() => Promise<FleetResult>>(workflowId, runId);
    runs.push(
      (async () => {
        const result = status.name === 'COMPLETED' ? await handle.result() : null;
        // a run that continued as new began with the first of its executions: its result says when
        const began = closeTime && result ? closeTime.getTime() - result.durationMs : startTime.getTime();
        return {
          group,
          workflowId,
          startedAt: new Date(began).toISOString(),
          seconds: closeTime ? (closeTime.getTime() - began) / 1_000 : null,
          status: status.name,
          result,
        };
      })(),
    );
    if (runs.length === RUNS_KEPT) break;
  }
  return (await Promise.all(runs)).toReversed();
}

function groupView(scheduled: ScheduledGroup, runs: readonly GroupRun[]): GroupView {
  const complete = runs.findLast(({ result }) => result?.failed === 0);
  return { ...scheduled, latest: runs.at(-1) ?? null, completeAt: complete?.startedAt ?? null };
}
