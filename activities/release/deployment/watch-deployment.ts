import { setTimeout as delay } from 'node:timers/promises';
import type { Environment } from '../../../domain/release/contracts/environments.schema.ts';
import {
  judgeSample,
  type Measured,
  type MetricsBefore,
  type Sample,
  silentMetrics,
  stillDue,
  watched,
  WATCHED_NOTHING,
  type WatchRules,
  type WatchState,
} from '../../../domain/release/deployment/watch.ts';
import type { Clusters, PlacedReference } from '../../kubernetes/clusters.ts';
import { storable } from '../../ledger/audit.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';
import { readiness, startLooking } from './await-ready.ts';
import { askHealth } from './health.ts';
import { askPrometheus } from './prometheus.ts';

/** A deployment to watch. */
export interface WatchTask {
  readonly deployment: string;
  readonly environment: Environment;
  /** The services that were deployed: their health is checked. */
  readonly services: readonly string[];
  /** The objects that must stay ready. */
  readonly objects: readonly PlacedReference[];
  /** How long requests took before the first change. */
  readonly baseline: Measured;
  /** False where the metrics are about what was there before. */
  readonly byMetrics: boolean;
  /** Names this watch: samples of others are those of a canary. */
  readonly watch: string;
  /** Milliseconds that are left of its time. */
  readonly left: number;
}

/** How a watch ended. */
export interface Watched {
  /** Why the deployment must be rolled back; null when it stays. */
  readonly breach: string | null;
  /** The metrics that never said anything, a sentence without a full stop each: a person decides. */
  readonly silent: readonly string[];
  readonly samples: number;
}

/** What is asked again and again. */
interface Probe {
  /** The name of the health check; null for a metric. */
  readonly check: string | null;
  readonly everyMs: number;
  ask(): Promise<Sample>;
}

const READINESS_MS = 10_000;
/** The name of the samples of readiness. */
const READINESS = 'readiness';

/** The rules of an environment. */
export function watchRules({ failed_checks: failedChecks, metrics }: Environment): WatchRules {
  return {
    failedChecks,
    errorRate: metrics?.errors?.above ?? 1,
    slowdown: metrics?.latency?.times ?? Number.POSITIVE_INFINITY,
    leastRequests: metrics?.requests.least ?? 0,
  };
}

/** What the metrics say before the first change: the errors are judged as those of a deployment are. */
export async function metricsBefore(environment: Environment, signal: AbortSignal): Promise<MetricsBefore> {
  const { metrics } = environment;
  if (metrics === undefined) return { latency: { none: 'the environment has no metrics' }, problem: null };
  const { prometheus, errors, latency, requests } = metrics;
  const ask = (query: string): Promise<Measured> => askPrometheus(prometheus, query, signal);
  const [took, failed, asked] = await Promise.all([
    latency === undefined ? { none: 'the environment has no query for it' } : ask(latency.query),
    errors === undefined ? { none: 'the environment has no query for it' } : ask(errors.query),
    ask(requests.query),
  ]);
  const sample = { what: 'errors', value: failed, requests: asked } as const;
  const { verdict, why } = judgeSample(watchRules(environment), sample);
  return { latency: took, problem: verdict === 'bad' ? why : null };
}

/**
 * Watches a deployment until its time is over, or a sample says that it must be rolled back. Every sample is recorded
 * before the next one is taken: a watch that is repeated goes on where the one before was. Health checks that fail at the
 * end are asked until they are decided.
 */
export async function watchDeployment(
  tools: { readonly ledger: LedgerDatabase; readonly clusters: Clusters; readonly signal: AbortSignal },
  task: WatchTask,
  onSample: (line: string) => void = () => undefined,
): Promise<Watched> {
  const { ledger, signal } = tools;
  const rules = watchRules(task.environment);
  // another clock may be set while it is watched
  const until = performance.now() + task.left;
  const known = await readSamples(ledger, task.deployment);
  let state = known
    .filter(({ watch }) => watch === task.watch)
    .reduce<WatchState>((before, { sample }) => watched(before, rules, sample), WATCHED_NOTHING);
  let count = known.length;
  const record = async (sample: Sample): Promise<void> => {
    const { verdict, why } = judgeSample(rules, sample);
    const row = { sample: JSON.stringify(storable(sample)), verdict, why: storable(why) };
    const first = { deployment_id: task.deployment, sequence: count++, watch: task.watch };
    await ledger
      .insertInto('deployment_samples')
      .values({ ...first, ...row })
      .execute();
    state = watched(state, rules, sample);
    onSample(why);
  };
  // each is asked once in any case: the worker may have been away for the whole watch
  const due = probesOf(tools, task).map((probe) => ({ probe, check: probe.check, at: firstAsked(probe, until) }));
  while (state.breach === null) {
    const left = stillDue(due, state, until);
    const next = left.toSorted((one, other) => one.at - other.at)[0];
    if (next === undefined) break;
    await delay(Math.max(0, next.at - performance.now()), undefined, { signal });
    // those that are due together are asked together
    const now = left.filter(({ at }) => at <= Math.max(performance.now(), next.at));
    for (const each of now) each.at = performance.now() + each.probe.everyMs;
    for (const sample of await Promise.all(now.map(({ probe }) => probe.ask()))) await record(sample);
  }
  if (state.breach === null) await delay(Math.max(0, until - performance.now()), undefined, { signal });
  return { breach: state.breach, silent: silentMetrics(state), samples: count };
}

/**
 * When something is asked for the first time: a health check at once. A metric looks back, and would say how the release
 * became ready: it is asked after an interval, or at the end of a shorter watch.
 */
function firstAsked({ check, everyMs }: Probe, until: number): number {
  const now = performance.now();
  return check !== null || until <= now ? 0 : Math.min(now + everyMs, until - 1);
}

function probesOf(
  { clusters, signal }: { readonly clusters: Clusters; readonly signal: AbortSignal },
  { environment, services, objects, baseline, byMetrics }: WatchTask,
): readonly Probe[] {
  const { metrics } = environment;
  const checks = services.flatMap((service) =>
    (environment.services[service]?.health ?? []).flatMap(({ name, http, interval, timeout }): Probe[] => {
      const check = `${service}: ${name}`;
      return http === undefined
        ? []
        : [
            {
              check,
              everyMs: interval * 1_000,
              async ask() {
                const why = await askHealth(http, timeout * 1_000, signal);
                return { what: 'health', name: check, ok: why === null, why: why ?? '' };
              },
            },
          ];
    }),
  );
  const probes: Probe[] = [...checks];
  if (objects.length > 0) {
    const seen = startLooking();
    probes.push({
      check: READINESS,
      everyMs: READINESS_MS,
      async ask() {
        const { isReady, why } = await readiness(clusters, objects, { home: environment.context, seen });
        return { what: 'health', name: READINESS, ok: isReady, why: why.join('; ') };
      },
    });
  }
  if (metrics === undefined || !byMetrics) return probes;
  const ask = (query: string): Promise<Measured> => askPrometheus(metrics.prometheus, query, signal);
  const everyMs = metrics.interval * 1_000;
  const { errors, latency, requests } = metrics;
  if (errors !== undefined) {
    probes.push({
      check: null,
      everyMs,
      async ask() {
        const [value, asked] = await Promise.all([ask(errors.query), ask(requests.query)]);
        return { what: 'errors', value, requests: asked };
      },
    });
  }
  if (latency !== undefined) {
    probes.push({
      check: null,
      everyMs,
      async ask() {
        const [value, asked] = await Promise.all([ask(latency.query), ask(requests.query)]);
        return { what: 'latency', value, baseline, requests: asked };
      },
    });
  }
  return probes;
}

async function readSamples(
  ledger: LedgerDatabase,
  deployment: string,
): Promise<readonly { readonly sample: Sample; readonly watch: string }[]> {
  const rows = await ledger
    .selectFrom('deployment_samples')
    .select(['sample', 'watch'])
    .where('deployment_id', '=', deployment)
    .orderBy('sequence')
    .execute();
  // written by `watchDeployment`
  return rows.map(({ sample, watch }) => ({ sample: sample as unknown as Sample, watch }));
}
