import { describe, expect, test } from 'vitest';
import { createMetrics } from '../../../activities/telemetry/metrics.ts';

const done = {
  event: 'sync_group_done',
  group: 'critical',
  named: true,
  repositories: 15,
  succeeded: 2,
  failed: 1,
  skipped: 12,
  files_changed: 22,
  duration_ms: 1_500,
  failing_runs: 3,
  true_since: new Date(Date.now() - 3_600_000).toISOString(),
};

/** The samples of a scrape by name and labels. */
async function samplesAfter(...events: object[]): Promise<Map<string, number>> {
  const metrics = createMetrics();
  for (const event of events) metrics.observe(event as Record<string, unknown>);
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('longhaul_'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

describe('metrics of groups', () => {
  test('say how the last run ended', async () => {
    const samples = await samplesAfter(
      { event: 'sync_group_start', group: 'critical', named: true, repo_count: 3 },
      { event: 'sync_repo_success', repo: 'a/b', group: 'critical', files_changed: 20, duration_ms: 400 },
      { event: 'sync_repo_success', repo: 'a/c', group: 'critical', files_changed: 2, duration_ms: 40 },
      { event: 'sync_repo_failed', repo: 'a/d', group: 'critical', type: 'GitFailed', error: 'timeout' },
      done,
    );
    expect(Object.fromEntries(samples)).toMatchObject({
      'longhaul_group_repositories{group="critical"}': 15,
      'longhaul_group_repositories_behind{group="critical"}': 1,
      'longhaul_group_repositories_failing{group="critical"}': 1,
      'longhaul_group_failing_runs{group="critical"}': 3,
      'longhaul_group_last_run_duration_seconds{group="critical"}': 1.5,
      'longhaul_group_last_run_failed{group="critical"}': 0,
      'longhaul_group_runs_total{group="critical",result="incomplete"}': 1,
      'longhaul_files_changed_total{group="critical"}': 22,
      'longhaul_failures_total{group="critical",type="GitFailed"}': 1,
      'longhaul_repository_sync_seconds_count{group="critical"}': 2,
    });
    expect(samples.get('longhaul_group_oldest_receipt_age_seconds{group="critical"}')).toBeCloseTo(3_600, -1);
    const ended = samples.get('longhaul_group_last_run_timestamp_seconds{group="critical"}') ?? 0;
    expect(Math.abs(ended - Date.now() / 1_000)).toBeLessThan(60);
  });

  test('show the remaining work during a run, and that it failed', async () => {
    const start = { event: 'sync_group_start', group: 'critical', named: true, repo_count: 9 };
    expect((await samplesAfter(start)).get('longhaul_group_repositories_behind{group="critical"}')).toBe(9);
    const failed = { event: 'sync_group_failed', group: 'critical', named: true, type: 'DiscoveryFailed', error: 'x' };
    const samples = await samplesAfter(done, { ...done, failed: 0 }, failed);
    expect(samples.get('longhaul_group_last_run_failed{group="critical"}')).toBe(1);
    expect(samples.get('longhaul_group_runs_total{group="critical",result="failed"}')).toBe(1);
    expect(samples.get('longhaul_group_runs_total{group="critical",result="done"}')).toBe(1);
  });

  test('do not exist for runs without a group', async () => {
    const samples = await samplesAfter({ ...done, group: 'acme/*', named: false });
    expect([...samples.keys()].filter((name) => name.includes('acme'))).toEqual([]);
  });
});

test('activities that wait for a budget are counted until they continue', async () => {
  const wait = { event: 'budget_wait', activity: 'findChanged', workflow: 'w', group: 'critical', reason: 'slow down' };
  const later = new Date(Date.now() + 60_000).toISOString();
  const name = 'longhaul_waiting_for_budget{group="critical"}';
  expect((await samplesAfter({ ...wait, until: later }, { ...wait, until: later })).get(name)).toBe(1);
  expect((await samplesAfter({ ...wait, until: later }, { ...wait, workflow: 'v', until: later })).get(name)).toBe(2);
  expect((await samplesAfter({ ...wait, until: new Date(0).toISOString() })).get(name)).toBeUndefined();
});

test('lines without an event are not counted', async () => {
  const before = await samplesAfter();
  expect(await samplesAfter({}, { event: 'toString' }, { event: 7 }, { event: 'worker_ready' })).toEqual(before);
});
