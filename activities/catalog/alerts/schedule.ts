import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { watchFleetFlow } from '../../../domain/catalog/flows/group-flows.ts';
import { writtenId } from '../../../domain/shared/flow.ts';
import { startOptions } from '../../shared/start-options.ts';

const EVERY = '5 minutes';

/**
 * Schedules the flow `watchFleet` for the groups of an index every five minutes, or removes the schedule when there are
 * no channels. Idempotent.
 */
export async function scheduleWatch(client: Client, indexName: string, isEnabled: boolean): Promise<void> {
  const id = watchScheduleId(indexName);
  try {
    if (!isEnabled) {
      await client.schedule.getHandle(id).delete();
      return;
    }
    await client.schedule.create({
      scheduleId: id,
      spec: { intervals: [{ every: EVERY }] },
      action: {
        type: 'startWorkflow',
        workflowType: watchFleetFlow.type,
        ...startOptions(watchFleetFlow, {}),
        // Temporal appends the time of the run
        workflowId: id,
      },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: EVERY },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning || error instanceof ScheduleNotFoundError)) throw error;
  }
}

/** The schedule that checks the groups of an index, and its latest runs. */
export interface AlertSchedule {
  readonly isPaused: boolean;
  readonly createdAt: Date;
  /** When the latest run started; null when none did. */
  readonly startedAt: Date | null;
  /** The latest run that has ended; null when there is none, or Temporal no longer has it. */
  readonly ended: EndedRun | null;
}

/** A run that has ended. */
export interface EndedRun {
  readonly workflowId: string;
  readonly isComplete: boolean;
}

/** Reads the schedule that checks the groups of an index; null when there is none. */
export async function readAlertSchedule(client: Client, indexName: string): Promise<AlertSchedule | null> {
  try {
    const { info, state } = await client.schedule.getHandle(watchScheduleId(indexName)).describe();
    const runs = info.recentActions.toReversed();
    return {
      isPaused: state.paused,
      createdAt: info.createdAt,
      startedAt: runs[0]?.takenAt ?? null,
      ended: await latestEnded(
        client,
        runs.map(({ action }) => action.workflow.workflowId),
      ),
    };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
}

/** True when the latest finished check of the groups failed; null when none has finished. */
export async function hasCheckFailed(client: Client, indexName: string): Promise<boolean | null> {
  const ended = (await readAlertSchedule(client, indexName))?.ended ?? null;
  return ended && !ended.isComplete;
}

/** The newest of these runs that has ended. The schedule itself records most ends only with its next run. */
async function latestEnded(client: Client, workflowIds: readonly string[]): Promise<EndedRun | null> {
  for (const workflowId of workflowIds) {
    const status = (await client.workflow.getHandle(workflowId).describe().catch(unlessForgotten))?.status.name;
    if (status !== undefined && ENDED.has(status)) return { workflowId, isComplete: status === 'COMPLETED' };
  }
  return null;
}

const ENDED: ReadonlySet<string> = new Set(['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT']);

/** Null for a run that Temporal no longer has. */
export function unlessForgotten(error: unknown): null {
  if (error instanceof WorkflowNotFoundError) return null;
  throw error;
}

/** The id of the schedule that checks the groups of an index. */
export function watchScheduleId(indexName: string): string {
  return `${writtenId(watchFleetFlow, {})}/${indexName}`;
}
