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

/** The metrics of a process, from events and its own counters (docs/observability.md). */
export interface Metrics {
  /** Counts a log line, if it is an event with a metric. */
  observe(fields: Readonly<Record<string, unknown>>): void;
  /** Further metrics, collected at each scrape. */
  readonly registry: Registry;
  /** All metrics in Prometheus' text format. */
  text(): Promise<string>;
}

/** Seconds: from a repository with one changed file to the first indexing of a huge one. */
const SYNC_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200];

/** Creates metrics without values. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const labelNames = ['group'] as const;
  const gauge = (name: string, help: string): Gauge<'group'> => new Gauge({ name, help, labelNames, registers });
  const counter = <Label extends string>(name: string, help: string, labels: readonly Label[]): Counter<Label> =>
    new Counter({ name, help, labelNames: labels, registers });
  collectDefaultMetrics({ register: registry });

  const repositories = gauge('longhaul_group_repositories', 'Repositories of the group');
  const behind = gauge(
    'longhaul_group_repositories_behind',
    'Repositories that the last run found behind and has not brought up to date',
  );
  const failing = gauge('longhaul_group_repositories_failing', 'Repositories that failed in the last run');
  const failingRuns = gauge(
    'longhaul_group_failing_runs',
    'Consecutive failed runs of the repository with the longest failure streak; 0 when none failed in the last run',
  );
  const lastRun = gauge('longhaul_group_last_run_timestamp_seconds', 'When the last run ended');
  const lastRunSeconds = gauge('longhaul_group_last_run_duration_seconds', 'How long the last run took');
  const lastRunFailed = gauge(
    'longhaul_group_last_run_failed',
    '1 when the last run ended before it had processed every repository',
  );
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

  const trueSince = new Map<string, number>();
  const oldest = new Gauge({
    name: 'longhaul_group_oldest_receipt_age_seconds',
    help: 'The longest time for which the index may differ from git for some repository of the group',
    labelNames,
    registers,
    collect: () => {
      for (const [group, since] of trueSince) oldest.set({ group }, (Date.now() - since) / 1_000);
    },
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
      if (named) behind.set({ group }, repo_count);
    },
    sync_group_done: ({ group, named, ...done }: GroupDone) => {
      if (!named) return;
      repositories.set({ group }, done.repositories);
      behind.set({ group }, done.failed);
      failing.set({ group }, done.failed);
      failingRuns.set({ group }, done.failing_runs);
      lastRun.set({ group }, Date.now() / 1_000);
      lastRunSeconds.set({ group }, done.duration_ms / 1_000);
      lastRunFailed.set({ group }, 0);
      trueSince.set(group, Date.parse(done.true_since));
      runs.inc({ group, result: done.failed === 0 ? 'done' : 'incomplete' });
    },
    sync_group_failed: ({ group, named }: GroupFailed) => {
      if (!named) return;
      lastRun.set({ group }, Date.now() / 1_000);
      lastRunFailed.set({ group }, 1);
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
    text: () => registry.metrics(),
    observe(fields) {
      const { event } = fields;
      if (isEventName(event)) handlers[event]?.(fields as never);
    },
  };
}

/** What the process itself has done, for all callers. */
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
