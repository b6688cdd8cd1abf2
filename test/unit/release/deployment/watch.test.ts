import { describe, expect, it } from 'vitest';
import {
  judgeSample,
  type Measured,
  type Sample,
  silentMetrics,
  stillDue,
  watched,
  WATCHED_NOTHING,
  type WatchState,
} from '../../../../domain/release/deployment/watch.ts';

const rules = { failedChecks: 3, errorRate: 0.05, slowdown: 2, leastRequests: 20 };
const errors = (value: Measured, requests: Measured = 100): Sample => ({ what: 'errors', value, requests });
const latency = (value: Measured, baseline: Measured = 0.1, requests: Measured = 100): Sample => ({
  what: 'latency',
  value,
  baseline,
  requests,
});
const health = (ok: boolean, name = 'front page'): Sample => ({ what: 'health', name, ok, why: 'it answered 503' });

function after(...samples: readonly Sample[]): WatchState {
  let state = WATCHED_NOTHING;
  for (const sample of samples) state = watched(state, rules, sample);
  return state;
}

describe('triggers of a rollback', () => {
  it.each<[string, Sample, 'good' | 'bad' | 'no data']>([
    ['errors just below the limit', errors(0.049_999), 'good'],
    ['errors at the limit', errors(0.05), 'good'],
    ['errors above the limit', errors(0.050_001), 'bad'],
    ['twice as slow but for a little', latency(0.199_999), 'good'],
    ['twice as slow', latency(0.2), 'good'],
    ['more than twice as slow', latency(0.200_001), 'bad'],
  ])('%s', (_name, sample, verdict) => {
    expect(judgeSample(rules, sample).verdict).toBe(verdict);
    expect(after(sample).breach === null).toBe(verdict !== 'bad');
  });

  it.each<[string, Sample]>([
    ['no answer', errors({ none: 'Prometheus did not answer' })],
    ['no sample', errors({ none: 'the query has no sample' })],
    ['not a number', errors(Number.NaN)],
    ['infinite', latency(Number.POSITIVE_INFINITY)],
    ['too few requests', errors(1, 19)],
    ['a count of requests that is missing', errors(1, { none: 'the query has no sample' })],
    ['no baseline', latency(9, { none: 'the query has no sample' })],
    ['a baseline of nothing', latency(9, 0)],
  ])('no data, neither good nor bad: %s', (name, sample) => {
    expect(judgeSample(rules, sample).verdict).toBe('no data');
    const state = after(sample, sample, sample);
    expect(state.breach).toBeNull();
    expect(silentMetrics(state)).toEqual([expect.stringContaining('said nothing during the whole watch: ')]);
    const other = sample.what === 'errors' ? latency(0.1) : errors(0);
    expect(silentMetrics(after(sample, other))).toEqual(name.includes('baseline') ? [] : silentMetrics(state));
    expect(silentMetrics(after(sample, sample.what === 'errors' ? errors(0) : latency(0.1)))).toEqual([]);
  });

  it('nothing was seen is said only where metrics were asked for', () => {
    expect(silentMetrics(after(health(true)))).toEqual([]);
  });

  it('enough requests are judged', () => {
    expect(judgeSample(rules, errors(0.06, 20)).verdict).toBe('bad');
  });
});

describe('health checks', () => {
  it('three failures in a row, of the same check', () => {
    expect(after(health(false), health(false)).breach).toBeNull();
    expect(after(health(false), health(false), health(true), health(false), health(false)).breach).toBeNull();
    expect(after(health(false), health(false, 'login'), health(false)).breach).toBeNull();
    expect(after(health(false), health(false), health(false)).breach).toBe(
      'front page: it answered 503, 3 times in a row',
    );
  });

  it('are asked until the time is over, and those that fail then until that is decided', () => {
    const page = { check: 'front page', at: 50 };
    const login = { check: 'login', at: 60 };
    const metric = { check: null, at: 50 };
    const all = [page, login, metric];
    expect(stillDue(all, WATCHED_NOTHING, 55)).toEqual([page, metric]);
    expect(stillDue(all, after(health(false), health(true, 'login')), 40)).toEqual([page]);
    expect(stillDue(all, after(health(false), health(false, 'login'), health(true)), 40)).toEqual([login]);
    // of another service, whose watch is over
    expect(stillDue([metric], after(health(false)), 40)).toEqual([]);
    // once in any case
    expect(stillDue([{ ...page, at: 0 }], WATCHED_NOTHING, -1)).toHaveLength(1);
  });

  it('a breach stays, whatever comes after it', () => {
    const breached = after(health(false), health(false), health(false));
    expect(watched(breached, rules, health(true))).toBe(breached);
  });
});
