import { expect } from 'vitest';
import { signalRepository } from '../../activities/catalog/follow.ts';
import { startFlow } from '../../client/core/start-flow.ts';
import type { FlowProgress } from '../../domain/shared/progress.ts';
import { sourceOf, test } from '../support/catalog/flows.ts';
import { recordHistory } from '../support/record-history.ts';
import { collectRuns } from '../support/recorded-runs.ts';

/** Run by `npm run histories` for a release: later versions must replay these histories. */
test('records one history of each kind, and never overwrites one', async ({ flows }) => {
  const { estate, client, started } = flows;
  await estate.create('acme/api', { 'a.ts': sourceOf('workflows/shared/lanes.ts') });
  await estate.create('acme/web', { 'b.ts': sourceOf('domain/catalog/index/receipt.ts') });
  const onboarding = await startFlow(client, 'onboardRepositories', { patterns: ['acme/*'], confirm: true });
  await expect
    .poll(() => onboarding.query<FlowProgress>('progress'))
    .toMatchObject({ stage: 'waiting for confirmation' });
  await onboarding.executeUpdate('confirm', { args: [{ proceed: true, by: 'record' }] });
  await onboarding.result();
  await estate.commit('acme/api', { 'a.ts': 'export const a = 1;\n' });
  await (await startFlow(client, 'syncRepositories', { all: true })).result();
  await (await startFlow(client, 'syncRepository', { repository: 'local/acme/web' })).result();
  await (await startFlow(client, 'verifyCatalog', { all: true, full: true })).result();
  await (await startFlow(client, 'reembedIndex', { model: 'onnx', queries: [{ query: 'lanes' }], yes: true })).result();
  await (await startFlow(client, 'switchIndex', { to: 'previous' })).result();
  await (await startFlow(client, 'pruneIndex', { previous: true })).result();
  await (
    await signalRepository(client, { repository: 'local/acme/web', quietSeconds: 0 }, [{ kind: 'pushed' }])
  ).result();
  const deliveries = [{ repository: 'local/acme/api', quietSeconds: 0, event: { kind: 'pushed', delivery: 'one' } }];
  const taking = await client.workflow.signalWithStart('takeDeliveries', {
    taskQueue: 'longhaul-flows',
    workflowId: 'deliveries',
    args: [{}],
    signal: 'deliveries',
    signalArgs: [{ deliveries }],
  });
  await taking.result();
  await client.workflow.getHandle('follow/local/acme/api').result();
  await (await startFlow(client, 'removeRepositories', { patterns: ['acme/web'] })).result();

  const kinds = new Set<string>();
  for (const { history } of await collectRuns(client, started)) {
    const kind = history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? '';
    if (kinds.has(kind)) continue;
    kinds.add(kind);
    recordHistory(kind, history);
  }
  expect([...kinds].sort()).toEqual([
    'fillBuild',
    'followRepository',
    'onboardRepositories',
    'pruneIndex',
    'reembedIndex',
    'removeRepositories',
    'removeRepository',
    'switchIndex',
    'syncRepositories',
    'syncRepository',
    'takeDeliveries',
    'verifyCatalog',
    'verifyRepository',
  ]);
});
