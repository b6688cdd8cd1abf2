import { type Client, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { ScheduleDescription, ScheduleOptions } from '@temporalio/client';
import type { AppliedGroup, GroupChange, GroupsSource, SyncGroup } from '../../../domain/catalog/groups/sync-groups.ts';
import { groupScheduleId, syncGroupFlow } from '../../../domain/catalog/flows/group-flows.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { startOptions } from '../../shared/start-options.ts';

/** A group and the state of its schedule. */
export interface ScheduledGroup extends AppliedGroup {
  /** Who applied the current declaration, when (ISO 8601), and from which file and commit. */
  readonly applied: (GroupsSource & { readonly at: string }) | null;
  /** The latest note, such as why it is paused. */
  readonly note: string | null;
  /** Time of the next run, ISO 8601; null while it is paused. */
  readonly nextRun: string | null;
  /** The latest run, which may still be running; null for none. */
  readonly lastRun: { readonly workflowId: string; readonly startedAt: string; readonly isRunning: boolean } | null;
  /** Runs that were missed because Temporal was unavailable for more than an hour. */
  readonly missed: number;
  /** Runs that were skipped because the previous one was still running. */
  readonly skipped: number;
}

/** The groups of one index; each is a Temporal schedule. */
export interface GroupSchedules {
  /** All groups, sorted by name. */
  list(): Promise<ScheduledGroup[]>;
  /** The existing groups with these names, sorted by name. */
  find(names: readonly string[]): Promise<ScheduledGroup[]>;
  /** Applies a change to the schedule of a group. Idempotent. */
  apply(change: GroupChange, source: GroupsSource): Promise<void>;
  /**
   * Starts a run now, or joins the one in progress. Returns its workflow id. Throws `InvalidInput` when there is no
   * such group.
   */
  run(name: string): Promise<string>;
  /** Pauses the schedule. Throws `InvalidInput` when there is no such group. */
  pause(name: string, note: string): Promise<void>;
  /** Resumes the schedule. Throws `InvalidInput` when there is no such group. */
  resume(name: string, note: string): Promise<void>;
  /** Starts one run for each time in a time span at which the schedule was due, one after another. */
  backfill(name: string, span: { readonly start: Date; readonly end: Date }): Promise<void>;
}

/** The workflow type that a schedule starts. */
const FLOW = syncGroupFlow.type;
/** After a longer outage of Temporal, runs are missed. The next run still brings everything up to date. */
const CATCHUP_WINDOW = '1 hour';
/** Number of checks for the run of a triggered schedule, which starts within moments. */
const START_TRIES = 100;
const START_PAUSE_MS = 100;

/** The groups of the index called `indexName`. */
export function createGroupSchedules(client: Client, indexName: string): GroupSchedules {
  const { schedule: schedules } = client;
  const prefix = groupScheduleId(indexName, '');
  const handleOf = (name: string) => schedules.getHandle(groupScheduleId(indexName, name));

  async function describe(name: string): Promise<ScheduledGroup | null> {
    try {
      const description = await handleOf(name).describe();
      // another program's schedule may have an id like ours
      return description.action.workflowType === FLOW ? scheduledGroup(description) : null;
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return null;
      throw error;
    }
  }

  async function find(names: readonly string[]): Promise<ScheduledGroup[]> {
    const found = await Promise.all(names.map(describe));
    return found.filter((group) => group !== null).sort((a, b) => (a.group.name < b.group.name ? -1 : 1));
  }

  return {
    async list() {
      const names: string[] = [];
      for await (const { scheduleId } of schedules.list()) {
        if (scheduleId.startsWith(prefix)) names.push(scheduleId.slice(prefix.length));
      }
      return find(names);
    },

    find,

    async apply({ kind, name, group, fields }, source) {
      const handle = handleOf(name);
      if (kind === 'removed') {
        await handle.delete().catch(unlessNotFound);
        return;
      }
      if (group === null) return;
      const declared = scheduleOf(indexName, group, source);
      if ((await describe(name)) === null) {
        await schedules.create(declared);
        return;
      }
      const pausedChanged = fields.some(({ field }) => field === 'paused');
      await handle.update(({ state, action }) => {
        const [applied] = action.args as [SyncGroup];
        // a manual pause or resume stays, with its note, until the declaration itself changes `paused`
        const isManual = state.paused !== applied.paused && !pausedChanged;
        return { ...declared, state: isManual ? state : declared.state };
      });
    },

    run: (name) =>
      existing(name, async () => {
        const handle = handleOf(name);
        const before = await handle.describe();
        const running = runningOf(before);
        if (running !== null) return running;
        await handle.trigger(ScheduleOverlapPolicy.SKIP);
        for (let tries = 0; tries < START_TRIES; tries++) {
          const now = await handle.describe();
          if (now.info.numActionsTaken > before.info.numActionsTaken) return lastOf(now)?.workflowId ?? '';
          const started = runningOf(now);
          if (started !== null) return started;
          await new Promise((resolve) => setTimeout(resolve, START_PAUSE_MS));
        }
        throw new LonghaulError('ServerUnavailable', `Temporal did not start the run of the sync group "${name}".`);
      }),

    pause: (name, note) => existing(name, () => handleOf(name).pause(note)),
    resume: (name, note) => existing(name, () => handleOf(name).unpause(note)),
    backfill: (name, { start, end }) =>
      existing(name, () => handleOf(name).backfill({ start, end, overlap: ScheduleOverlapPolicy.BUFFER_ALL })),
  };
}

/** The name of the sync group that a schedule runs; null for a schedule that runs something else. */
export function groupOfSchedule({ action }: ScheduleDescription): string | null {
  const [group] = action.workflowType === FLOW ? (action.args as readonly Partial<SyncGroup>[]) : [];
  return group?.name ?? null;
}

/** Runs `work` with a group's schedule. Throws `InvalidInput` when the schedule does not exist. */
async function existing<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    throw new LonghaulError('InvalidInput', `There is no sync group "${name}": see \`longhaul groups list\`.`, {
      cause: error,
    });
  }
}

/** The schedule of a group. The whole group is the argument of its flow, so that every run shows its settings. */
function scheduleOf(
  indexName: string,
  group: SyncGroup,
  source: GroupsSource,
): ScheduleOptions & { readonly state: { readonly paused: boolean; readonly note: string } } {
  const { name, schedule, timezone, jitterSeconds, priority, paused } = group;
  const applied = { ...source, at: new Date().toISOString() };
  const action = {
    type: 'startWorkflow' as const,
    workflowType: FLOW,
    ...startOptions(syncGroupFlow, group),
    // Temporal appends the time of the run
    workflowId: groupScheduleId(indexName, name),
    memo: { applied },
    // the server supports it, although the type of a schedule's action does not have it
    priority: { priorityKey: priority, fairnessKey: name.slice(0, 64) },
  };
  return {
    scheduleId: groupScheduleId(indexName, name),
    spec: { cronExpressions: [schedule], timezone, jitter: jitterSeconds * 1_000 },
    action,
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCHUP_WINDOW, pauseOnFailure: false },
    state: { paused, note: `${paused ? 'paused' : 'applied'} by ${source.by} from ${source.file}`.slice(0, 200) },
  };
}

function scheduledGroup(description: ScheduleDescription): ScheduledGroup {
  const { action, info, state } = description;
  const memo = action.memo as { applied?: ScheduledGroup['applied'] } | undefined;
  return {
    // versions before branches applied groups without this field
    group: { branches: [], ...(action.args?.[0] as Partial<SyncGroup>) } as SyncGroup,
    isPaused: state.paused,
    applied: memo?.applied ?? null,
    note: state.note || null,
    nextRun: state.paused ? null : (info.nextActionTimes[0]?.toISOString() ?? null),
    lastRun: lastOf(description),
    missed: info.numActionsMissedCatchupWindow,
    skipped: info.numActionsSkippedOverlap,
  };
}

function lastOf(description: ScheduleDescription): ScheduledGroup['lastRun'] {
  const last = description.info.recentActions.at(-1);
  if (last === undefined) return null;
  const { workflowId } = last.action.workflow;
  return { workflowId, startedAt: last.takenAt.toISOString(), isRunning: runningOf(description) === workflowId };
}

function runningOf({ info }: ScheduleDescription): string | null {
  return info.runningActions.at(-1)?.workflow.workflowId ?? null;
}

function unlessNotFound(error: unknown): void {
  if (!(error instanceof ScheduleNotFoundError)) throw error;
}
