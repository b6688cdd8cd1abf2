/** How long a deployment is watched, and what ends it early. */
export interface WatchRules {
  /** So many failed health checks in a row roll back. */
  readonly failedChecks: number;
  /** The share of failed requests, 0 to 1, above which it is rolled back. */
  readonly errorRate: number;
  /** How many times slower than before the deployment requests may be. */
  readonly slowdown: number;
  /** Fewer requests in the window than this say nothing. */
  readonly leastRequests: number;
}

/** A measurement. */
export type Sample =
  | { readonly what: 'health'; readonly name: string; readonly ok: boolean; readonly why: string }
  | { readonly what: 'errors'; readonly value: Measured; readonly requests: Measured }
  | { readonly what: 'latency'; readonly value: Measured; readonly baseline: Measured; readonly requests: Measured };

/** A number that was measured, or why there is none: no answer, no sample, not a number. */
export type Measured = number | { readonly none: string };

/** What the metrics of an environment said before the first change. */
export interface MetricsBefore {
  /** How long requests took. */
  readonly latency: Measured;
  /** Why they would have rolled back what was there; null when they would not. */
  readonly problem: string | null;
}

/** What one sample says. `no data` is neither good nor bad. */
export interface SampleVerdict {
  readonly verdict: 'good' | 'bad' | 'no data';
  /** What was measured and what is allowed, a sentence without a full stop. */
  readonly why: string;
}

/** What one sample says by itself: a failed health check is bad, although one alone does not roll back. */
export function judgeSample(rules: WatchRules, sample: Sample): SampleVerdict {
  if (sample.what === 'health') {
    return sample.ok
      ? { verdict: 'good', why: `${sample.name} is healthy` }
      : { verdict: 'bad', why: `${sample.name}: ${sample.why}` };
  }
  const missing = [sample.requests, sample.value].map(problemOf).find((problem) => problem !== null);
  if (missing !== undefined) return { verdict: 'no data', why: missing };
  const requests = sample.requests as number;
  if (requests < rules.leastRequests) {
    return { verdict: 'no data', why: `${rounded(requests)} requests are too few: ${rules.leastRequests} are needed` };
  }
  const value = sample.value as number;
  if (sample.what === 'errors') {
    const why = `${percent(value)} of requests fail, ${percent(rules.errorRate)} may`;
    return { verdict: value > rules.errorRate ? 'bad' : 'good', why };
  }
  const problem = problemOf(sample.baseline);
  if (problem !== null) return { verdict: 'no data', why: `before the deployment: ${problem}` };
  const baseline = sample.baseline as number;
  if (!isBaseline(baseline)) return { verdict: 'no data', why: 'before the deployment requests took no time' };
  const why = `requests take ${rounded(value)} s, ${rounded(baseline)} s before, ${rules.slowdown} times that is allowed`;
  return { verdict: value > rules.slowdown * baseline ? 'bad' : 'good', why };
}

/** What the samples so far amount to. */
export interface WatchState {
  /** Failed health checks in a row, by name of the check. */
  readonly failing: Readonly<Record<string, number>>;
  /** What the samples of each metric said. */
  readonly metrics: Readonly<Partial<Record<Metric, MetricState>>>;
  /** Why it must be rolled back; null while it need not. */
  readonly breach: string | null;
}

type Metric = Exclude<Sample['what'], 'health'>;

/** What the samples of a metric said. */
interface MetricState {
  /** False for a latency that there is nothing to compare with. */
  readonly isComparable: boolean;
  /** True when one of them said something. */
  readonly isJudged: boolean;
  /** What the last one said, a sentence without a full stop. */
  readonly why: string;
}

/** Before the first sample. */
export const WATCHED_NOTHING: WatchState = { failing: {}, metrics: {}, breach: null };

/** The state after one more sample. A breach stays. */
export function watched(state: WatchState, rules: WatchRules, sample: Sample): WatchState {
  if (state.breach !== null) return state;
  const { verdict, why } = judgeSample(rules, sample);
  if (sample.what === 'health') {
    const count = verdict === 'bad' ? (state.failing[sample.name] ?? 0) + 1 : 0;
    const failing = { ...state.failing, [sample.name]: count };
    const breach = count >= rules.failedChecks ? `${why}, ${count} times in a row` : null;
    return { ...state, failing, breach };
  }
  const isJudged = verdict !== 'no data' || (state.metrics[sample.what]?.isJudged ?? false);
  const isComparable = sample.what === 'errors' || isBaseline(sample.baseline);
  const metrics = { ...state.metrics, [sample.what]: { isComparable, isJudged, why } };
  return { ...state, metrics, breach: verdict === 'bad' ? why : null };
}

/**
 * The metrics that were asked for all the time and never said anything, a sentence without a full stop each: then a person
 * decides. A latency that there is nothing to compare with counts only where no other metric said anything either.
 */
export function silentMetrics({ metrics }: WatchState): readonly string[] {
  const all = Object.entries(metrics);
  const isBlind = all.every(([, { isJudged }]) => !isJudged);
  return all
    .filter(([, { isJudged, isComparable }]) => !isJudged && (isComparable || isBlind))
    .map(([name, { why }]) => `the metric ${name} said nothing during the whole watch: ${why}`);
}

/**
 * Those of what is asked again and again that are still due: all until the time is over, and once in any case; after it the
 * health checks whose last sample was a failure, until a good one or enough of them decide.
 */
export function stillDue<Due extends DueSample>(all: readonly Due[], state: WatchState, until: number): readonly Due[] {
  return all.filter(({ at, check }) => at === 0 || at < until || (check !== null && (state.failing[check] ?? 0) > 0));
}

/** A sample that is taken again and again. */
export interface DueSample {
  /** When it is taken next, by the clock of `until`; 0 before the first time. */
  readonly at: number;
  /** The name of the health check; null for a metric. */
  readonly check: string | null;
}

/** True for a latency that another one can be compared with: nothing is slower than nothing. */
function isBaseline(baseline: Measured): boolean {
  return problemOf(baseline) === null && (baseline as number) > 0;
}

function problemOf(measured: Measured): string | null {
  if (typeof measured !== 'number') return measured.none;
  return Number.isFinite(measured) ? null : `the answer is ${measured}`;
}

function percent(share: number): string {
  return `${rounded(share * 100)} %`;
}

function rounded(value: number): string {
  return String(Math.round(value * 1_000) / 1_000);
}
