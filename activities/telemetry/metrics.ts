import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import {
  type BudgetWait,
  type EventName,
  type GroupDone,
  type GroupFailed,
  type GroupStart,
  isEventName,
  type RepositoryFailed,
  type RepositorySuccess,
} from '../../domain/shared/events.ts';
import { processCounts } from './process-counts.ts';

/** Whether the schedules of the sync groups are paused, by name of the group; null while it is not known. */
export type ScheduledGroups = () => Promise<ReadonlyMap<string, { readonly isPaused: boolean }> | null>;

/** The metrics of a process, from events and its own counters (docs/observability.md). */
export interface Metrics {
  /** Counts a log line, if it is an event with a metric. */
  observe(fields: Readonly<Record<string, unknown>>): void;
  /**
   * Asks for the schedules of the groups at each scrape from now on. Without a schedule a group has no gauges, and the
   * index of a paused group has no age: no run would set them again, and alerts on them would never end.
   */
  limitTo(groups: ScheduledGroups): void;
  /** Further metrics, collected at each scrape. */
  readonly registry: Registry;
  /** All metrics in Prometheus' text format. */
  text(): Promise<string>;
}

/** Seconds: from a repository with one changed file to the first indexing of a huge one. */
const SYNC_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200];

/**
 * The values that the last runs of a sync group reported, missing until a run reports them. Times in milliseconds since
 * 1970.
 */
interface GroupValues {
  readonly repositories?: number;
  readonly behind?: number;
  readonly failing?: number;
  readonly failingRuns?: number;
  readonly endedAt?: number;
  readonly seconds?: number;
  readonly hasFailed?: boolean;
  readonly trueSince?: number;
}

/** A gauge with a sample for each sync group whose value is defined. */
interface GroupGauge {
  readonly name: string;
  readonly help: string;
  readonly value: (values: GroupValues, schedule: { readonly isPaused: boolean }) => number | undefined;
}

const GROUP_GAUGES: readonly GroupGauge[] = [
  {
    name: 'longhaul_group_repositories',
    help: 'Repositories of the group',
    value: ({ repositories }) => repositories,
  },
  {
    name: 'longhaul_group_repositories_behind',
    help: 'Repositories that the last run found behind and has not brought up to date',
    value: ({ behind }) => behind,
  },
  {
    name: 'longhaul_group_repositories_failing',
    help: 'Repositories that failed in the last run',
    value: ({ failing }) => failing,
  },
  {
    name: 'longhaul_group_failing_runs',
    help: 'Consecutive failed runs of the repository with the longest failure streak; 0 when none failed in the last run',
    value: ({ failingRuns }) => failingRuns,
  },
  {
    name: 'longhaul_group_last_run_timestamp_seconds',
    help: 'When the last run ended',
    value: ({ endedAt }) => endedAt && endedAt / 1_000,
  },
  {
    name: 'longhaul_group_last_run_duration_seconds',
    help: 'How long the last run took',
    value: ({ seconds }) => seconds,
  },
  {
    name: 'longhaul_group_last_run_failed',
    help: '1 when the last run ended before it had processed every repository',
    value: ({ hasFailed }) => (hasFailed === undefined ? undefined : Number(hasFailed)),
  },
  {
    name: 'longhaul_group_oldest_receipt_age_seconds',
    help: 'The longest time for which the index may differ from git for some repository of the group; absent while it is paused',
    value: ({ trueSince }, { isPaused }) =>
      trueSince === undefined || isPaused ? undefined : (Date.now() - trueSince) / 1_000,
  },
];

/** Creates metrics without values. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const labelNames = ['group'] as const;
  const counter = <Label extends string>(name: string, help: string, labels: readonly Label[]): Counter<Label> =>
    new Counter({ name, help, labelNames: labels, registers });
  collectDefaultMetrics({ register: registry });

  const latest = new Map<string, GroupValues>();
  let scheduled: ScheduledGroups = notKnown;
  for (const { name, help, value } of GROUP_GAUGES) {
    const gauge: Gauge<'group'> = new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect: async () => {
        const schedules = await scheduled();
        gauge.reset();
        for (const [group, values] of latest) {
          const schedule = schedules === null ? { isPaused: false } : schedules.get(group);
          const number = schedule && value(values, schedule);
          if (number !== undefined) gauge.set({ group }, number);
        }
      },
    });
  }
  const update = (group: string, values: GroupValues): void => {
    latest.set(group, { ...latest.get(group), ...values });
  };
  const runs = counter(
    'longhaul_group_runs_total',
    'Runs by result: done, incomplete (some repositories failed) or failed',
    ['group', 'result'],
  );
  const files = counter('longhaul_files_changed_total', 'Changed files that were indexed', ['group']);
  const failures = counter('longhaul_failures_total', 'Repositories that failed, by the type of the failure', [
    'group',
    'type',
  ]);
  const seconds = new Histogram({
    name: 'longhaul_repository_sync_seconds',
    help: 'How long one repository took',
    labelNames,
    buckets: SYNC_BUCKETS,
    registers,
  });

  const waits = new Map<string, BudgetWait>();
  const waiting: Gauge<'group'> = new Gauge({
    name: 'longhaul_waiting_for_budget',
    help: 'Activities that wait because a server asked them to',
    labelNames,
    registers,
    collect: () => {
      waiting.reset();
      for (const [key, { until, group = '' }] of waits) {
        if (Date.parse(until) <= Date.now()) waits.delete(key);
        else waiting.inc({ group });
      }
    },
  });
  countsOfProcess(registers);

  const handlers: { readonly [Name in EventName]?: (fields: never) => void } = {
    sync_group_start: ({ group, named, repo_count }: GroupStart) => {
      if (named) update(group, { behind: repo_count });
    },
    sync_group_done: ({ group, named, ...done }: GroupDone) => {
      if (!named) return;
      update(group, {
        repositories: done.repositories,
        behind: done.failed,
        failing: done.failed,
        failingRuns: done.failing_runs,
        endedAt: Date.now(),
        seconds: done.duration_ms / 1_000,
        hasFailed: false,
        trueSince: Date.parse(done.true_since),
      });
      runs.inc({ group, result: done.failed === 0 ? 'done' : 'incomplete' });
    },
    sync_group_failed: ({ group, named }: GroupFailed) => {
      if (!named) return;
      update(group, { endedAt: Date.now(), hasFailed: true });
      runs.inc({ group, result: 'failed' });
    },
    sync_repo_success: ({ group = '', files_changed, duration_ms }: RepositorySuccess) => {
      files.inc({ group }, files_changed);
      seconds.observe({ group }, duration_ms / 1_000);
    },
    sync_repo_failed: ({ group = '', type }: RepositoryFailed) => failures.inc({ group, type }),
    budget_wait: (wait: BudgetWait) => void waits.set(`${wait.workflow} ${wait.activity}`, wait),
  };

  return {
    registry,
    limitTo: (groups) => {
      scheduled = groups;
    },
    text: () => registry.metrics(),
    observe(fields) {
      const { event } = fields;
      if (isEventName(event)) handlers[event]?.(fields as never);
    },
  };
}

/** Used until schedules are read. */
function notKnown(): Promise<null> {
  return Promise.resolve(null);
}

/** Registers the process's own totals. */
function countsOfProcess(registers: Registry[]): void {
  const totals = [
    ['longhaul_texts_embedded_total', 'Texts sent to a model', 'textsEmbedded'],
    ['longhaul_embeddings_reused_total', 'Texts whose vector was cached', 'embeddingsReused'],
    ['longhaul_objects_written_total', 'Objects written to Weaviate', 'objectsWritten'],
    ['longhaul_objects_deleted_total', 'Objects deleted from Weaviate', 'objectsDeleted'],
  ] as const;
  for (const [name, help, count] of totals) {
    const total: Counter = new Counter({
      name,
      help,
      registers,
      collect: () => {
        total.reset();
        total.inc(processCounts[count]);
      },
    });
  }
  const waiting: Gauge = new Gauge({
    name: 'longhaul_batches_waiting',
    help: 'Batches of files that are read and wait to be analysed and written',
    registers,
    collect: () => waiting.set(processCounts.batchesWaiting),
  });
}
