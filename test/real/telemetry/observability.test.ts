import { rm } from 'node:fs/promises';
import { Client, Connection, type ScheduleHandle, ScheduleOverlapPolicy } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { startFlow } from '../../../client/core/start-flow.ts';
import type { FlowProgress } from '../../../domain/shared/progress.ts';
import type { SyncGroupInput } from '../../../domain/catalog/groups/sync-groups.ts';
import { NAMESPACE } from '../../support/namespace.ts';
import { deployedQueries } from '../../support/deployed-queries.ts';
import { createEstate, type Estate } from '../../support/estate.ts';
import { sourceOf } from '../../support/catalog/flows.ts';
import { startGatewayProcess } from '../../support/gateway.ts';
import { groupOf } from '../../support/catalog/group-run.ts';
import { metricNames, scrape } from '../../support/scrape.ts';
import { openRelay } from '../../support/stalling-relay.ts';
import { startWorkerProcess, type WorkerProcess } from '../../support/worker-process.ts';

const GROUP = 'critical-platform-services';

const INPUT: SyncGroupInput = { ...groupOf(GROUP, ['acme/*']), schedule: '' };

/** The events of a log by name, each with its fields. */
function eventsOf(log: string, name?: string): Record<string, unknown>[] {
  const lines = log
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return lines.filter(({ event }) => (name === undefined ? event !== undefined : event === name));
}

describe('a worker, seen from outside', () => {
  let estate: Estate;
  let worker: WorkerProcess;
  let connection: Connection;
  let client: Client;
  let address: string;
  let onboarding: string;
  let schedule: ScheduleHandle;

  beforeAll(async () => {
    estate = await createEstate();
    await estate.create('acme/api', { 'src/lanes.ts': sourceOf('workflows/shared/lanes.ts'), 'README.md': '# api\n' });
    await estate.create('acme/web', { 'src/lock.ts': sourceOf('workflows/shared/patience.ts') });
    worker = await startWorkerProcess(estate, { args: ['--metrics-address', '127.0.0.1:0'] });
    address = String(eventsOf(worker.log(), 'metrics_ready')[0]?.['address']);
    connection = await Connection.connect({ address: inject('stack').temporalAddress });
    client = new Client({ connection, namespace: NAMESPACE });
    // a group without a schedule has no gauges
    schedule = await client.schedule.create({
      scheduleId: `sync-group/${estate.indexName}/${GROUP}`,
      spec: { intervals: [{ every: '3s' }] },
      action: { type: 'startWorkflow', workflowType: 'syncGroup', taskQueue: 'longhaul-flows', args: [INPUT] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP },
      state: { paused: true },
    });
  });

  afterAll(async () => {
    await schedule.delete();
    await worker.stop();
    await connection.close();
    await estate.dispose();
  });

  test('is alive and ready', async () => {
    expect((await fetch(`http://${address}/healthz`)).status).toBe(200);
    const ready = await fetch(`http://${address}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      {
        ready: true,
        checks: ['temporal', 'longhaul-flows', 'longhaul-repos', 'weaviate'].map((name) => ({ name, ok: true })),
      },
    ]);
  });

  test('logs each event of a run once, as documented', async () => {
    const handle = await startFlow(client, 'syncGroup', INPUT);
    onboarding = handle.workflowId;
    expect(await handle.result()).toMatchObject({ succeeded: 2 });
    // the last log lines of a flow arrive together with its result
    await expect
      .poll(() => eventsOf(worker.log(), 'sync_group_done'))
      .toMatchObject([
        { level: 'info', group: GROUP, succeeded: 2, failed: 0, skipped: 0, files_changed: 3, repositories: 2 },
      ]);
    const start = eventsOf(worker.log(), 'sync_group_start');
    expect(start).toMatchObject([{ level: 'info', group: GROUP, repo_count: 2, named: true }]);
    const synced = (): Record<string, unknown>[] => eventsOf(worker.log(), 'sync_repo_success');
    await expect.poll(() => synced().length).toBe(2);
    const repositories = synced();
    expect(new Set(repositories.map(({ repo }) => repo))).toEqual(new Set(['acme/api', 'acme/web']));
    for (const line of repositories) {
      expect(line).toMatchObject({
        files_changed: expect.any(Number) as number,
        duration_ms: expect.any(Number) as number,
      });
    }
  });

  test('serves the metrics of the SDK and of the group at one address', async () => {
    const samples = await scrape(address);
    expect(samples.get(`longhaul_group_repositories{group="${GROUP}"}`)).toBe(2);
    expect(samples.get(`longhaul_group_repositories_behind{group="${GROUP}"}`)).toBe(0);
    expect(samples.get(`longhaul_group_last_run_failed{group="${GROUP}"}`)).toBe(0);
    expect(samples.get(`longhaul_files_changed_total{group="${GROUP}"}`)).toBe(3);
    // its schedule is paused, and no run would make it younger
    expect(samples.has(`longhaul_group_oldest_receipt_age_seconds{group="${GROUP}"}`)).toBe(false);
    expect(samples.get('longhaul_objects_written_total')).toBeGreaterThan(2);
    expect(samples.get('longhaul_texts_embedded_total')).toBeGreaterThanOrEqual(0);
    const names = new Set([...samples.keys()].map((key) => key.replace(/\{.*/, '')));
    expect([...names]).toEqual(
      expect.arrayContaining(['temporal_workflow_completed', 'temporal_num_pollers', 'process_cpu_seconds_total']),
    );
  });

  test('reports a failing repository, and the number of failed runs of its schedule', async () => {
    await rm(estate.gitDir('acme/web'), { recursive: true });
    await schedule.unpause();
    const done = (): Record<string, unknown>[] => eventsOf(worker.log(), 'sync_group_done').slice(1);
    await expect.poll(() => done().length).toBeGreaterThanOrEqual(2);
    await schedule.pause();
    // each run of a schedule gets the result of the previous one
    expect(done()).toMatchObject(done().map((_, run) => ({ failed: 1, failing_runs: run + 1 })));
    const samples = await scrape(address);
    expect(samples.get(`longhaul_group_failing_runs{group="${GROUP}"}`)).toBeGreaterThanOrEqual(2);
    expect(samples.get(`longhaul_group_repositories_failing{group="${GROUP}"}`)).toBe(1);
    const failed = eventsOf(worker.log(), 'sync_repo_failed');
    expect(failed.length).toBeGreaterThanOrEqual(2);
    expect(failed[0]).toMatchObject({
      level: 'error',
      repo: 'acme/web',
      group: GROUP,
      type: expect.any(String) as string,
      error: expect.stringMatching(/./) as string,
    });
    const since = String(eventsOf(worker.log(), 'sync_group_done').at(-1)?.['true_since']);
    const started = Date.parse(String(eventsOf(worker.log(), 'sync_group_start').at(-1)?.['timestamp']));
    expect(Date.parse(since)).toBeLessThan(started);
  });

  test('has every metric that the dashboard and the alert rules use', async () => {
    const webhook = { provider: 'local', forge: 'github', secretEnv: 'WEBHOOK_SECRET' };
    const gateway = await startGatewayProcess(estate, { webhooks: [webhook] });
    onTestFinished(async () => void (await gateway.stop()));
    // a histogram of answers begins with the first
    await fetch(`${gateway.url}/healthz`);
    const known = (await metricNames(address)).union(await metricNames(gateway.metricsAddress));
    const unknown = deployedQueries().flatMap(({ where, metrics }) =>
      metrics.filter((name) => !known.has(name)).map((name) => `${where}: ${name}`),
    );
    expect(unknown).toEqual([]);
  });

  test('logs nothing again when another worker replays a run', async () => {
    await worker.stop();
    worker = await startWorkerProcess(estate);
    const progress = await client.workflow.getHandle(onboarding).query<FlowProgress>('progress');
    expect(progress).toMatchObject({ stage: 'done', done: 2, total: 2 });
    expect(eventsOf(worker.log()).map(({ event }) => event)).toEqual(['worker_ready']);
  });
});

test('a worker is alive but not ready while a server is unavailable', { timeout: 300_000 }, async () => {
  const { temporalAddress, weaviate } = inject('stack');
  const estate = await createEstate();
  onTestFinished(() => estate.dispose());
  const toTemporal = await openRelay(temporalAddress);
  const toWeaviate = await openRelay(new URL(weaviate.url).host);
  const env = { TEMPORAL_ADDRESS: toTemporal.address, WEAVIATE_URL: `http://${toWeaviate.address}` };
  const worker = await startWorkerProcess(estate, {
    env: { ...env, LONGHAUL_METRICS_ADDRESS: '127.0.0.1:0' },
    args: ['--roles', 'repos'],
  });
  onTestFinished(() => worker.kill());
  const address = String(eventsOf(worker.log(), 'metrics_ready')[0]?.['address']);
  const notReady = async (): Promise<unknown[]> => {
    const { checks } = (await (await fetch(`http://${address}/readyz`)).json()) as {
      checks: { name: string; ok: boolean }[];
    };
    return checks.filter(({ ok }) => !ok).map(({ name }) => name);
  };
  expect(await notReady()).toEqual([]);
  await toWeaviate.close();
  await expect.poll(notReady).toEqual(['weaviate']);
  await toTemporal.close();
  await expect.poll(notReady).toEqual(['temporal', 'weaviate']);
  expect((await fetch(`http://${address}/readyz`)).status).toBe(503);
  expect((await fetch(`http://${address}/healthz`)).status).toBe(200);
  expect((await fetch(`http://${address}/metrics`)).status).toBe(200);
});
