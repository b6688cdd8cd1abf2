import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { optionalTsToDate } from '@temporalio/common/lib/time.js';
import type { FlowRegistry } from '../../domain/shared/flow.ts';
import { hasEnded } from '../core/running-question.ts';
import { progressOf, type RunView } from './runs-view.ts';

/** A step that a run waits for. */
export interface PendingStep {
  /** Activity type. */
  readonly name: string;
  /** Attempts so far, the current one counted. */
  readonly attempt: number;
  /** The message of the last failure; empty for none. */
  readonly failure: string;
  /** When the next attempt begins; null while one runs. */
  readonly nextAt: Date | null;
}

/** One run in detail. */
export interface RunDetail extends RunView {
  /** One line about the question that it answers; empty for none. */
  readonly summary: string;
  /** The run that started it; null when a person, a schedule or a service did. */
  readonly parent: { readonly workflowId: string; readonly runId: string } | null;
  readonly events: number;
  /** At most {@link MOST}. */
  readonly steps: readonly PendingStep[];
  /** Runs that it started and that have not ended; at most {@link MOST}. */
  readonly children: readonly { readonly workflowId: string; readonly runId: string; readonly type: string }[];
}

/** Most steps and children of a run that are shown. */
export const MOST = 50;
const DEADLINE_MS = 10_000;
const PATIENCE_MS = 1_000;

/** Reads a run; the latest when no run id is given. Null when there is none, or it is not a run of a declared flow. */
export async function readRun(
  client: Client,
  flows: FlowRegistry,
  workflowId: string,
  runId: string | undefined,
): Promise<RunDetail | null> {
  const handle = client.workflow.getHandle(workflowId, runId);
  try {
    const found = await client.withDeadline(Date.now() + DEADLINE_MS, () => handle.describe());
    if (flows.find(found.type) === null) return null;
    const { raw, status, parentExecution: parent } = found;
    const run = { workflowId, runId: found.runId };
    return {
      ...run,
      type: found.type,
      status: status.name,
      startedAt: found.startTime,
      closedAt: found.closeTime ?? null,
      progress: hasEnded(status.name) ? null : await progressOf(client, run, Date.now() + PATIENCE_MS),
      summary: (await found.staticSummary()) ?? '',
      parent: parent?.workflowId && parent.runId ? { workflowId: parent.workflowId, runId: parent.runId } : null,
      events: found.historyLength,
      steps: (raw.pendingActivities ?? []).slice(0, MOST).map((step) => ({
        name: step.activityType?.name ?? '',
        attempt: step.attempt ?? 1,
        failure: step.lastFailure?.message ?? '',
        nextAt: step.lastStartedTime === null ? null : (optionalTsToDate(step.nextAttemptScheduleTime) ?? null),
      })),
      children: (raw.pendingChildren ?? []).slice(0, MOST).map((child) => ({
        workflowId: child.workflowId ?? '',
        runId: child.runId ?? '',
        type: child.workflowTypeName ?? '',
      })),
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || isInvalidArgument(error)) return null;
    throw error;
  }
}

/** gRPC: invalid argument, such as a run id that is none. */
function isInvalidArgument(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if ('code' in at && at.code === 3) return true;
  return false;
}
