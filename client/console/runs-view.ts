import type { Client, WorkflowExecutionStatusName } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { optionalTsToDate } from '@temporalio/common/lib/time.js';
import pLimit from 'p-limit';
import type { FlowRegistry } from '../../domain/shared/flow.ts';
import type { FlowProgress } from '../../domain/shared/progress.ts';
import { isOpen } from '../../domain/shared/run-status.ts';
import { queryProgress } from '../core/run-chain.ts';

/** Which runs are listed, as conditions of Temporal's list filter. */
export const RUN_FILTERS = {
  open: "ExecutionStatus IN ('Running', 'Paused')",
  failed: "ExecutionStatus IN ('Failed', 'TimedOut', 'Terminated')",
  ended: "ExecutionStatus IN ('Completed', 'Canceled', 'Failed', 'TimedOut', 'Terminated')",
} as const;

/** The name of a filter. */
export type RunFilter = keyof typeof RUN_FILTERS;

/** A run of a flow. */
export interface RunView {
  readonly workflowId: string;
  readonly runId: string;
  /** Workflow type. */
  readonly type: string;
  /** Temporal's name of its status: `RUNNING`. */
  readonly status: WorkflowExecutionStatusName;
  readonly startedAt: Date | null;
  readonly closedAt: Date | null;
  /** Null when it has ended, or no worker answered in time. */
  readonly progress: FlowProgress | null;
}

/** A part of a list of runs. */
export interface RunList {
  /** Newest first. */
  readonly runs: readonly RunView[];
  /** Where the next part begins; null for the last. */
  readonly next: string | null;
}

/** Which part of which list is read. */
export interface RunQuestion {
  readonly filter: RunFilter;
  /** Workflow type; null for all declared flows. */
  readonly type: string | null;
  /** True to list also the runs that other runs started. */
  readonly children: boolean;
  /** `next` of the part before; null for the first part. */
  readonly after: string | null;
  /** Most runs to read. */
  readonly most: number;
}

/** The names of Temporal's enumeration `WorkflowExecutionStatus`, by number. */
const STATUSES: readonly WorkflowExecutionStatusName[] = [
  'UNSPECIFIED',
  'RUNNING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'TERMINATED',
  'CONTINUED_AS_NEW',
  'TIMED_OUT',
  'PAUSED',
];

/** How long a page waits for the answers of workers, together, in milliseconds. */
const PATIENCE_MS = 1_000;
/** Queries to workers in parallel. */
const PARALLEL = 8;
/** Timeout for Temporal, in milliseconds. */
const DEADLINE_MS = 10_000;

/** Lists runs of declared flows, with the progress of the open ones. */
export async function listRuns(client: Client, { all }: FlowRegistry, question: RunQuestion): Promise<RunList> {
  const { filter, type, children, after, most } = question;
  const types = all.map((flow) => flow.type).filter((one) => type === null || one === type);
  if (types.length === 0) return { runs: [], next: null };
  const conditions = [
    `WorkflowType IN (${types.map((one) => `'${one}'`).join(', ')})`,
    RUN_FILTERS[filter],
    ...(children ? [] : ['ParentWorkflowId IS NULL']),
  ];
  const { namespace } = client.options;
  const { executions, nextPageToken } = await client.withDeadline(Date.now() + DEADLINE_MS, () =>
    client.workflowService.listWorkflowExecutions({
      namespace,
      query: conditions.join(' AND '),
      pageSize: most,
      nextPageToken: Buffer.from(after ?? '', 'base64url'),
    }),
  );
  const runs = await withProgress(client, executions.map(viewOf));
  return { runs, next: nextPageToken.length === 0 ? null : Buffer.from(nextPageToken).toString('base64url') };
}

function viewOf({
  execution,
  type,
  status,
  startTime,
  closeTime,
}: temporal.api.workflow.v1.IWorkflowExecutionInfo): Omit<RunView, 'progress'> {
  return {
    workflowId: execution?.workflowId ?? '',
    runId: execution?.runId ?? '',
    type: type?.name ?? '',
    status: STATUSES[status ?? 0] ?? 'UNKNOWN',
    startedAt: optionalTsToDate(startTime) ?? null,
    closedAt: optionalTsToDate(closeTime) ?? null,
  };
}

/** Asks the workers for the progress of open runs. Those that do not answer in time cost the page no more than that. */
function withProgress(client: Client, runs: readonly Omit<RunView, 'progress'>[]): Promise<RunView[]> {
  const until = Date.now() + PATIENCE_MS;
  return pLimit(PARALLEL).map(runs, async (run) => {
    const progress = isOpen(run.status) ? await progressOf(client, run, until) : null;
    return { ...run, progress };
  });
}

/** The progress of a run; null when no worker answers before `until`, or the run has none. */
export async function progressOf(
  client: Client,
  { workflowId, runId }: Pick<RunView, 'workflowId' | 'runId'>,
  until: number,
): Promise<FlowProgress | null> {
  if (Date.now() >= until) return null;
  try {
    return await client.withDeadline(until, () => queryProgress(client, workflowId, runId));
  } catch {
    return null;
  }
}
