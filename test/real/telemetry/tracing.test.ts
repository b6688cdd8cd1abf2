import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startFlow } from '../../../client/core/start-flow.ts';
import { workflowBundle } from '../../../workers/bundle.ts';
import { NAMESPACE } from '../../support/namespace.ts';
import { commandEnv, longhaulProcess } from '../../support/command.ts';
import { createEstate } from '../../support/estate.ts';
import { sourceOf } from '../../support/catalog/flows.ts';
import { deliver, repositoryPayload, startGatewayProcess } from '../../support/gateway.ts';
import { type OtlpCollector, type ReceivedSpan, startOtlpCollector } from '../../support/otlp-collector.ts';
import { collectRuns } from '../../support/recorded-runs.ts';
import { replayAll } from '../../support/replay.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';

/** Names of a span and its ancestors, the root first. */
function pathOf(span: ReceivedSpan, spans: readonly ReceivedSpan[]): string[] {
  const parent = spans.find(({ id, trace }) => id === span.parent && trace === span.trace);
  const above = span.parent === '' ? [] : parent === undefined ? ['(not received)'] : pathOf(parent, spans);
  return [...above, span.name];
}

const PATH = [
  'StartWorkflow:onboardRepositories',
  'RunWorkflow:onboardRepositories',
  'StartChildWorkflow:syncRepository',
  'RunWorkflow:syncRepository',
  'StartActivity:indexRepository',
  'RunActivity:indexRepository',
  'weaviate batch',
];

/** The sink for spans of a replayed workflow. */
const NOWHERE = { export: { fn: () => undefined, callDuringReplay: false } };

test(
  'a trace covers everything from the start of a flow to the write in Weaviate, and changes nothing else',
  { timeout: 300_000 },
  async () => {
    const collector: OtlpCollector = await startOtlpCollector();
    onTestFinished(() => collector.close());
    const estate = await createEstate();
    onTestFinished(() => estate.dispose());
    await estate.create('acme/api', { 'src/lanes.ts': sourceOf('workflows/shared/lanes.ts') });
    await estate.create('acme/web', { 'src/lock.ts': sourceOf('workflows/shared/patience.ts') });
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '200' };
    const worker = await startWorkerProcess(estate, { env, ownBundle: true });
    onTestFinished(() => worker.stop());

    const added = await longhaulProcess(commandEnv(estate, env), [
      'index',
      'add',
      '--pattern',
      'acme/*',
      '--yes',
      '--json',
    ]);
    expect(JSON.parse(added.stdout)).toMatchObject({ succeeded: 2 });
    const batches = (): ReceivedSpan[] => collector.spans.filter(({ name }) => name === 'weaviate batch');
    const paths = (): string[][] => batches().map((span) => pathOf(span, collector.spans));
    await expect.poll(paths).toEqual([PATH, PATH]);
    const traces = new Set(batches().map(({ trace }) => trace));
    expect([...traces]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    const line = (): string | undefined =>
      worker
        .log()
        .split('\n')
        .find((each) => each.includes('"sync_repo_success"'));
    await expect.poll(line).toBeDefined();
    expect(JSON.parse(line() ?? '')).toMatchObject({ trace_id: [...traces][0] });

    // traces can be turned on or off while flows are running: their histories are the same
    const connection = await Connection.connect({ address: inject('stack').temporalAddress });
    onTestFinished(() => connection.close());
    const client = new Client({ connection, namespace: NAMESPACE });
    const { workflowId } = JSON.parse(added.stdout) as { workflowId: string };
    const { runId } = await client.workflow.getHandle(workflowId).describe();
    const traced = await collectRuns(client, [[workflowId, runId]]);
    expect(await replayAll(traced, inject('stack').workflowBundle)).toBe(3);
    await worker.stop();
    const plain = await startWorkerProcess(estate);
    onTestFinished(() => plain.stop());
    await estate.commit('acme/api', { 'src/new.ts': sourceOf('workflows/shared/input.ts') });
    const count = collector.spans.length;
    const synced = await startFlow(client, 'syncRepositories', { patterns: ['acme/*'] });
    expect(await synced.result()).toMatchObject({ succeeded: 1 });
    const runs = await collectRuns(client, [[synced.workflowId, synced.firstExecutionRunId]]);
    expect(await replayAll(runs, await tracedBundle(), { exporter: NOWHERE })).toBe(2);
    expect(collector.spans).toHaveLength(count);
  },
);

const WEBHOOK_PATH = [
  'webhook github',
  'SignalWithStartWorkflow:takeDeliveries',
  'RunWorkflow:takeDeliveries',
  'StartActivity:tellRepositories',
  'RunActivity:tellRepositories',
  'SignalWithStartWorkflow:followRepository',
  'RunWorkflow:followRepository',
  'StartChildWorkflow:syncRepository',
  'RunWorkflow:syncRepository',
  'StartActivity:indexRepository',
  'RunActivity:indexRepository',
  'weaviate batch',
];

test('a trace covers everything from a webhook to the write in Weaviate', { timeout: 300_000 }, async () => {
  const collector = await startOtlpCollector();
  onTestFinished(() => collector.close());
  const estate = await createEstate();
  onTestFinished(() => estate.dispose());
  await estate.create('acme/api', { 'src/lanes.ts': sourceOf('workflows/shared/lanes.ts') });
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '200' };
  const worker = await startWorkerProcess(estate, { env, ownBundle: true });
  onTestFinished(() => worker.stop());
  await longhaulProcess(commandEnv(estate), ['index', 'add', '--pattern', 'acme/*', '--yes']);
  const webhook = { provider: 'local', forge: 'github', secretEnv: 'WEBHOOK_SECRET' };
  const gateway = await startGatewayProcess(estate, { webhooks: [webhook], quietSeconds: 0.3 }, env);
  onTestFinished(async () => void (await gateway.stop()));

  await estate.commit('acme/api', { 'src/lock.ts': sourceOf('workflows/shared/patience.ts') });
  const delivery = { 'x-github-delivery': '0b989ba4-242f-11e5-81e1-c7b6966d2516' };
  await deliver(gateway.url, 'push', repositoryPayload('acme/api', { ref: 'refs/heads/main' }), delivery);
  const paths = (): string[][] =>
    collector.spans
      .map((span) => pathOf(span, collector.spans))
      .filter((names) => names[0] === 'webhook github' && names.at(-1) === 'weaviate batch');
  await expect.poll(paths).toEqual([WEBHOOK_PATH]);
});

async function tracedBundle(): Promise<string> {
  const bundle = await workflowBundle({ traced: true });
  if ('codePath' in bundle) return bundle.codePath;
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-bundle-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'bundle.js'), bundle.code);
  return join(folder, 'bundle.js');
}
