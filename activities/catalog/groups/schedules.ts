import { type Client, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { ScheduleDescription, ScheduleOptions } from '@temporalio/client';
import {
  type AppliedGroup,
  type GroupChange,
  groupScheduleId,
  type GroupsSource,
  type SyncGroup,
} from '../../../domain/catalog/groups/sync-groups.ts';
import { syncGroupFlow } from '../../../domain/catalog/flows/group-flows.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';

/** A group and how its schedule is doing. */
export interface ScheduledGroup extends AppliedGroup {
  /** Who applied it as it is, when (ISO 8601), and from which file and commit. */
  readonly applied: (GroupsSource & { readonly at: string }) | null;
  /** Why it is paused, or what was noted of it last. */
  readonly note: string | null;
  /** When it runs next, ISO 8601; null while it is paused. */
  readonly nextRun: string | null;
  /** Its latest run, running or not; null when there was none yet. */
  readonly lastRun: { readonly workflowId: string; readonly startedAt: string; readonly isRunning: boolean } | null;
  /** Runs that did not take place because Temporal was away for longer than an hour. */
  readonly missed: number;
  /** Runs that did not take place because the one before was still running. */
  readonly skipped: number;
}

/** The groups of one index, each a schedule of Temporal. */
export interface GroupSchedules {
  /** All of them, in order of names. */
  list(): Promise<ScheduledGroup[]>;
  /** Those of these names that there are. */
  find(names: readonly string[]): Promise<ScheduledGroup[]>;
  /** Makes the schedule of a group what the change says. May be repeated. */
  apply(change: GroupChange, source: GroupsSource): Promise<void>;
  /**
   * Starts a run now, or joins the one that runs. Gives the workflow id of it. Throws `InvalidInput` when there is no such
   * group.
   */
  run(name: string): Promise<string>;
  /** Lets the schedule do nothing until it is resumed. Throws `InvalidInput` when there is no such group. */
  pause(name: string, note: string): Promise<void>;
  /** Lets the schedule run again. Throws `InvalidInput` when there is no such group. */
  resume(name: string, note: string): Promise<void>;
  /** Starts one run for each time that the schedule would have run in a span of time, one after the other. */
  backfill(name: string, span: { readonly start: Date; readonly end: Date }): Promise<void>;
}

/** What a schedule starts. */
const FLOW = syncGroupFlow.type;
/** An outage of Temporal that is longer than this misses runs; the next one brings everything up to date all the same. */
const CATCHUP_WINDOW = '1 hour';
/** A schedule that was triggered starts its run within moments. */
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
      const wanted = scheduleOf(indexName, group, source);
      if ((await describe(name)) === null) {
        await schedules.create(wanted);
        return;
      }
      const pausedChanged = fields.some(({ field }) => field === 'paused');
      await handle.update(({ state, action }) => {
        const [applied] = action.args as [SyncGroup];
        // what was paused or resumed by hand stays so, with its note, until the declaration itself changes `paused`
        const isByHand = state.paused !== applied.paused && !pausedChanged;
        return { ...wanted, state: isByHand ? state : wanted.state };
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

/** Does something to a group's schedule; that there is none is the person's mistake. */
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

/** A schedule's declaration: the whole group is the argument of its flow, so that every run shows what it was run with. */
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
    taskQueue: syncGroupFlow.queue,
    workflowId: groupScheduleId(indexName, name),
    args: [group],
    memo: { applied },
    staticSummary: `sync group ${name}`,
    // the server honours it, though the type of a schedule's action leaves it out
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
    // a version before branches applied it without
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
