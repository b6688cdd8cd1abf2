import {
  type Client,
  type ScheduleDescription,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { runTrainFlow } from '../../../domain/release/flows/train-flows.ts';
import { cutOffPattern, departureAfter, type Timetable } from '../../../domain/release/train/timetable.ts';
import type { TrainState, TrainUnderWay } from '../../../domain/release/train/train.ts';
import type { FlowProgress } from '../../../domain/shared/progress.ts';
import { writtenId } from '../../../domain/shared/flow.ts';
import { startOptions } from '../../shared/start-options.ts';

/** The schedules of release trains, in Temporal. */
export interface TrainSchedules {
  /**
   * Creates the schedule of a repository's train, or changes it. A paused one stays paused. Between a cut-off and its
   * departure it starts that train. Idempotent.
   */
  start(repository: string, timetable: Timetable): Promise<void>;
  /** Deletes it, and cancels the train that is under way. Idempotent. */
  stop(repository: string): Promise<void>;
  /** The state of the schedule, and the train that is under way. */
  read(repository: string, timetable: Timetable): Promise<Omit<TrainState, 'last'>>;
}

/**
 * After an outage the latest cut-off that was missed starts its train, however late; an earlier one does not, as its
 * changes leave with that train.
 */
const CATCHUP_WINDOW = '6 days';

/** The schedules in the namespace of a client. */
export function createTrainSchedules(client: Client): TrainSchedules {
  const handleOf = (repository: string) => client.schedule.getHandle(idOf(repository));
  const describe = async (repository: string): Promise<ScheduleDescription | null> => {
    try {
      return await handleOf(repository).describe();
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return null;
      throw error;
    }
  };
  return {
    async start(repository, timetable) {
      const declared = scheduleOf(repository, timetable);
      const known = await describe(repository);
      if (known === null) await client.schedule.create(declared);
      else await handleOf(repository).update(({ state }) => ({ ...declared, state }));
      const now = new Date();
      // the cut-off of the next departure is over
      const isDue = departureAfter(timetable, now).cutOff <= now;
      if (isDue && known?.state.paused !== true) await handleOf(repository).trigger(ScheduleOverlapPolicy.SKIP);
    },

    async stop(repository) {
      const known = await describe(repository);
      if (known !== null) await handleOf(repository).delete();
      const handle = client.workflow.getHandle(idOf(repository));
      if (await isRunning(client, repository)) await handle.cancel();
    },

    async read(repository, timetable) {
      const known = await describe(repository);
      return {
        schedule: known === null ? 'stopped' : known.state.paused ? 'paused' : 'running',
        isCurrent: known?.action.memo?.['timetable'] === keyOf(timetable),
        underWay: await underWay(client, repository),
      };
    },
  };
}

/** The id of the schedule, and of the run that has the lock of the train. */
function idOf(repository: string): string {
  return writtenId(runTrainFlow, { repository, dryRun: false, by: BY });
}

/** Who starts the runs of a schedule. */
const BY = 'release train';

function scheduleOf(repository: string, timetable: Timetable) {
  const input = { repository, dryRun: false, by: BY };
  const start = startOptions(runTrainFlow, input);
  return {
    scheduleId: idOf(repository),
    spec: { cronExpressions: [cutOffPattern(timetable.day)], timezone: timetable.time_zone },
    action: {
      type: 'startWorkflow' as const,
      workflowType: runTrainFlow.type,
      ...start,
      memo: { ...start.memo, timetable: keyOf(timetable) },
      // Temporal appends the time of the cut-off
      workflowId: idOf(repository),
    },
    // a train that still waits takes the place of the next one
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCHUP_WINDOW, pauseOnFailure: false },
  };
}

function keyOf({ day, time_zone: zone }: Timetable): string {
  return `${day} ${zone}`;
}

async function isRunning(client: Client, repository: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(idOf(repository)).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

async function underWay(client: Client, repository: string): Promise<TrainUnderWay | null> {
  if (!(await isRunning(client, repository))) return null;
  const workflowId = idOf(repository);
  const handle = client.workflow.getHandle(workflowId);
  const { stage, lines } = await handle.query<FlowProgress>('progress');
  const { outputs } = await handle.query<{ outputs: { timetable?: { departure: string } } }>('stages');
  return { workflowId, departure: outputs.timetable?.departure ?? null, stage, lines };
}
