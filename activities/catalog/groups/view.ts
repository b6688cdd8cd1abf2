import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';
import type { CatalogFleetResult } from '../../../domain/catalog/flows/fleet.ts';
import { groupScheduleId, syncGroupFlow } from '../../../domain/catalog/flows/group-flows.ts';
import { createGroupSchedules, type ScheduledGroup } from './schedules.ts';

/** One run of a sync group. */
export interface GroupRun {
  readonly group: string;
  readonly workflowId: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** How long it took; null while it runs. */
  readonly seconds: number | null;
  /** Temporal's name of its status. */
  readonly status: string;
  /** Null unless it completed. */
  readonly result: CatalogFleetResult | null;
}

/** A sync group as shown to operators. */
export interface GroupView extends ScheduledGroup {
  readonly latest: GroupRun | null;
  /** When the latest run that left nothing to do started, ISO 8601. Null when none of the latest runs did. */
  readonly completeAt: string | null;
}

/** The groups of an index, and their latest runs. */
export interface GroupsView {
  readonly groups: readonly GroupView[];
  /** The {@link RUNS_READ} latest runs of each group that Temporal still has, oldest first. */
  readonly runs: readonly GroupRun[];
}

/** Maximum number of runs of a group that are read. */
const RUNS_READ = 10;
/** Number of groups that are read in parallel. */
const PARALLEL = 8;

/** Reads the groups of the index `index`. */
export async function viewGroups(client: Client, index: string): Promise<GroupsView> {
  const scheduled = await createGroupSchedules(client, index).list();
  const limit = pLimit(PARALLEL);
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
    // Temporal appends the scheduled time to the id; another group's name may have this one's as prefix
    if (!/^-\d{4}-\d\d-\d\dT[\d:]+Z$/.test(workflowId.slice(scheduleId.length))) continue;
    const handle = client.workflow.getHandle<() => Promise<CatalogFleetResult>>(workflowId, runId);
    runs.push(
      (async () => {
        const result = status.name === 'COMPLETED' ? await handle.result() : null;
        // a run that continued as new began with its first execution: the result has the total duration
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
    if (runs.length === RUNS_READ) break;
  }
  return (await Promise.all(runs)).toReversed();
}

function groupView(scheduled: ScheduledGroup, runs: readonly GroupRun[]): GroupView {
  const complete = runs.findLast(({ result }) => result?.failed === 0);
  return { ...scheduled, latest: runs.at(-1) ?? null, completeAt: complete?.startedAt ?? null };
}
