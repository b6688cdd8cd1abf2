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
  // nothing is slower than nothing
  if (baseline <= 0) return { verdict: 'no data', why: 'before the deployment requests took no time' };
  const why = `requests take ${rounded(value)} s, ${rounded(baseline)} s before, ${rules.slowdown} times that is allowed`;
  return { verdict: value > rules.slowdown * baseline ? 'bad' : 'good', why };
}

/** What the samples so far amount to. */
export interface WatchState {
  /** Failed health checks in a row, by name of the check. */
  readonly failing: Readonly<Record<string, number>>;
  /** How many samples of metrics said something. */
  readonly judged: number;
  /** How many did not. */
  readonly withoutData: number;
  /** Why it must be rolled back; null while it need not. */
  readonly breach: string | null;
}

/** Before the first sample. */
export const WATCHED_NOTHING: WatchState = { failing: {}, judged: 0, withoutData: 0, breach: null };

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
  if (verdict === 'no data') return { ...state, withoutData: state.withoutData + 1 };
  return { ...state, judged: state.judged + 1, breach: verdict === 'bad' ? why : null };
}

/** True when metrics were asked for all the time and never said anything: then a person decides. */
export function sawNothing({ judged, withoutData }: WatchState): boolean {
  return judged === 0 && withoutData > 0;
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
