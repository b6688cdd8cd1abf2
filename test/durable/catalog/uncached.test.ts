import { expect } from 'vitest';
import { startFlow } from '../../../client/core/start-flow.ts';
import { expectReceiptTrue, sourceOf, test as base } from '../../support/catalog/flows.ts';

const test = base.extend('maxCachedWorkflows', { scope: 'file' }, async (): Promise<number> => 0);

test('without a workflow cache every flow gives the same result: it is rebuilt from history at each step', async ({
  flows,
}) => {
  const { client, estate, tools } = flows;
  await estate.create('acme/api', { 'a.ts': sourceOf('workflows/shared/lanes.ts') });
  await estate.create('acme/web', { 'b.ts': sourceOf('domain/catalog/index/receipt.ts') });
  const onboarding = await startFlow(client, 'onboardRepositories', { patterns: ['*/*/*'] });
  expect(await onboarding.result()).toMatchObject({ succeeded: 2, failed: 0 });
  const commit = await estate.commit('acme/web', { 'b.ts': sourceOf('workflows/shared/lanes.ts') });
  const sync = await startFlow(client, 'syncRepositories', { all: true });
  expect(await sync.result()).toMatchObject({ succeeded: 1, skipped: 1 });
  await expectReceiptTrue(tools, 'local/acme/web', commit);
});
