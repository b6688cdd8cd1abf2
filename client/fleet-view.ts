import type { Client } from '@temporalio/client';
import { createGroupSchedules, type ScheduledGroup } from '../activities/groups/schedules.ts';
import type { FleetResult } from '../domain/catalog/flows.ts';
import { isBeingRemoved } from '../domain/catalog/plan.ts';
import type { Receipt } from '../domain/catalog/receipt.ts';
import { groupScheduleId } from '../domain/catalog/sync-groups.ts';
import type { CliContext } from './cli/context.ts';
import { connectTemporal } from './cli/servers.ts';
import { readReceipts } from './plan.ts';

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

/** A repository of the index. */
export interface RepositoryView extends Pick<Receipt, 'repository' | 'files' | 'objects' | 'indexedAt'> {
  /** `unfinished` when a run is under way, or broke off. */
  readonly state: 'complete' | 'unfinished';
}

/** The fleet at a glance. */
export interface FleetView {
  /** When it was looked at, ISO 8601. */
  readonly at: string;
  /** `index.name` in longhaul.yaml. */
  readonly index: string;
  readonly repositories: readonly RepositoryView[];
  readonly groups: readonly GroupView[];
  /** Runs of groups that Temporal remembers, the {@link RUNS_KEPT} latest, oldest first. */
  readonly runs: readonly GroupRun[];
}

/** Runs whose results are read. */
const RUNS_KEPT = 200;

/** Looks at the index and at the groups. Throws `ServerUnavailable`. */
export async function viewFleet(context: CliContext): Promise<FleetView> {
  const index = context.config.index.name;
  const session = await connectTemporal(context);
  try {
    const [receipts, scheduled, runs] = await Promise.all([
      readReceipts(context),
      createGroupSchedules(session.client, index).list(),
      groupRuns(session.client, index),
    ]);
    return {
      at: new Date().toISOString(),
      index,
      repositories: receipts.filter((receipt) => !isBeingRemoved(receipt)).map(repositoryView),
      groups: scheduled.map((group) => groupView(group, runs)),
      runs,
    };
  } finally {
    await session.close();
  }
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
  return (await Promise.all(runs)).reverse();
}

function groupView(scheduled: ScheduledGroup, runs: readonly GroupRun[]): GroupView {
  const own = runs.filter(({ group }) => group === scheduled.group.name);
  const complete = own.findLast(({ result }) => result?.failed === 0);
  return { ...scheduled, latest: own.at(-1) ?? null, completeAt: complete?.startedAt ?? null };
}

function repositoryView({ repository, files, objects, indexedAt, pending }: Receipt): RepositoryView {
  return { repository, files, objects, indexedAt, state: pending === null ? 'complete' : 'unfinished' };
}
