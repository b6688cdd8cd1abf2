import type { Client } from '@temporalio/client';
import type { FleetResult } from '../../domain/catalog/flows.ts';
import { groupScheduleId } from '../../domain/catalog/sync-groups.ts';
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
  /** When the latest run began after which nothing of the group was left to do, ISO 8601: how far behind the group is. */
  readonly completeAt: string | null;
}

/** The groups of an index, and their latest runs. */
export interface GroupsView {
  readonly groups: readonly GroupView[];
  /** The {@link RUNS_KEPT} latest runs that Temporal remembers, oldest first. */
  readonly runs: readonly GroupRun[];
}

/** Runs whose results are read. */
const RUNS_KEPT = 200;

/** Looks at the groups of the index called `index`. */
export async function viewGroups(client: Client, index: string): Promise<GroupsView> {
  const [scheduled, runs] = await Promise.all([createGroupSchedules(client, index).list(), groupRuns(client, index)]);
  return { groups: scheduled.map((group) => groupView(group, runs)), runs };
}

async function groupRuns(client: Client, index: string): Promise<GroupRun[]> {
  const prefix = groupScheduleId(index, '');
  const query = `WorkflowType = 'syncGroup' AND ExecutionStatus != 'ContinuedAsNew'`;
  const runs: Promise<GroupRun>[] = [];
  // newest first
  for await (const { workflowId, runId, startTime, closeTime, status } of client.workflow.list({ query })) {
    if (!workflowId.startsWith(prefix)) continue;
    runs.push(
      (async () => ({
        // Temporal adds the time of the schedule to the id
        group: workflowId.slice(prefix.length).replace(/-\d{4}-\d\d-\d\dT[\d:]+Z$/, ''),
        workflowId,
        startedAt: startTime.toISOString(),
        seconds: closeTime ? (closeTime.getTime() - startTime.getTime()) / 1_000 : null,
        status: status.name,
        result:
          status.name === 'COMPLETED'
            ? ((await client.workflow.getHandle(workflowId, runId).result()) as FleetResult)
            : null,
      }))(),
    );
    if (runs.length === RUNS_KEPT) break;
  }
  return (await Promise.all(runs)).toReversed();
}

function groupView(scheduled: ScheduledGroup, runs: readonly GroupRun[]): GroupView {
  const own = runs.filter(({ group }) => group === scheduled.group.name);
  const complete = own.findLast(({ result }) => result?.failed === 0);
  return { ...scheduled, latest: own.at(-1) ?? null, completeAt: complete?.startedAt ?? null };
}
