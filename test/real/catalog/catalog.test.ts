import { rm } from 'node:fs/promises';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { describe, expect } from 'vitest';
import { startFlow } from '../../../client/core/start-flow.ts';
import type { FlowProgress } from '../../../domain/shared/progress.ts';
import { git } from '../../../examples/git.ts';
import { expectReceiptTrue, type FlowsFixture, objectIdsOf, sourceOf, test } from '../../support/catalog/flows.ts';

const LANES = sourceOf('workflows/shared/lanes.ts');
const RECEIPT = sourceOf('domain/catalog/index/receipt.ts');

async function onboard({ client }: FlowsFixture, patterns: string[] = ['*/*/*']) {
  return (await startFlow(client, 'onboardRepositories', { patterns })).result();
}

async function syncAll({ client }: FlowsFixture) {
  return (await startFlow(client, 'syncRepositories', { all: true })).result();
}

describe('onboarding', () => {
  test('indexes matching repositories once, with correct receipts', async ({ flows }) => {
    const { estate, tools } = flows;
    const one = await estate.create('acme/api', { 'src/lanes.ts': LANES, 'README.md': '# API\n' });
    const two = await estate.create('acme/platform/api', { 'src/lanes.ts': LANES });
    await estate.create('other/site', { 'index.html': '<p>hello</p>\n' });

    const first = await onboard(flows, ['acme/*']);
    expect(first).toMatchObject({ matched: 2, succeeded: 2, failed: 0, skipped: 0, filesChanged: 3, declined: false });
    expect(first.objectsWritten).toBeGreaterThanOrEqual(3);
    await expectReceiptTrue(tools, 'local/acme/api', one);
    await expectReceiptTrue(tools, 'local/acme/platform/api', two);
    // the same file in two repositories is two objects and one embedding
    expect(await objectIdsOf(tools, 'local/acme/platform/api')).not.toEqual(
      expect.arrayContaining(await objectIdsOf(tools, 'local/acme/api')),
    );

    const again = await onboard(flows, ['acme/*']);
    expect(again).toMatchObject({ matched: 2, succeeded: 0, skipped: 2, objectsWritten: 0, embedded: 0 });
    expect(await tools.store.readReceipt('local/other/site')).toBeNull();
  });

  test('waits for a confirmation, rejects unexpected answers, and can be declined', async ({ flows }) => {
    const { estate, client, tools } = flows;
    await estate.create('acme/api', { 'a.ts': LANES });
    const handle = await startFlow(client, 'onboardRepositories', { patterns: ['acme/api'], confirm: true });
    await expect
      .poll(() => handle.query<FlowProgress>('progress'))
      .toEqual({
        stage: 'waiting for confirmation',
        done: 0,
        total: 1,
        unit: 'repositories',
        lines: ['0 files', '+0 -0 objects'],
        asks: { question: 'Matched 1 repository. Proceed with initial indexing?', lines: ['acme/api'] },
      });
    await expect(handle.executeUpdate('confirm', { args: [{ proceed: 'yes' }] })).rejects.toBeInstanceOf(
      WorkflowUpdateFailedError,
    );
    await handle.executeUpdate('confirm', { args: [{ proceed: false, by: 'test' }] });
    expect(await handle.result()).toMatchObject({ declined: true, succeeded: 0 });
    expect(await tools.store.receipts()).toEqual([]);

    const second = await startFlow(client, 'onboardRepositories', { patterns: ['acme/api'], confirm: true });
    await expect
      .poll(() => second.query<FlowProgress>('progress'))
      .toMatchObject({ stage: 'waiting for confirmation' });
    await second.executeUpdate('confirm', { args: [{ proceed: true, by: 'test' }] });
    expect(await second.result()).toMatchObject({ declined: false, succeeded: 1 });
  });

  test('a broken repository does not stop the others', async ({ flows }) => {
    const { estate, tools } = flows;
    await estate.create('acme/good', { 'a.ts': LANES });
    await estate.create('acme/broken', { 'a.ts': LANES });
    await rm(`${estate.gitDir('acme/broken')}/objects`, { recursive: true });
    await git(['init', '--quiet', '--bare', estate.gitDir('acme/broken')]);
    const result = await onboard(flows);
    expect(result).toMatchObject({ matched: 2, succeeded: 1, failed: 1 });
    expect(result.failures).toMatchObject([{ repository: 'local/acme/broken', type: 'SourceUnreadable' }]);
    expect((await tools.store.receipts()).map(({ repository }) => repository)).toContain('local/acme/good');
  });
});

describe('delta sync', () => {
  test('touches only what changed: adds, edits, renames, deletes', async ({ flows }) => {
    const { estate, tools } = flows;
    await estate.create('acme/api', { 'src/a.ts': LANES, 'src/b.ts': RECEIPT, 'docs/c.md': '# C\n\ntext\n' });
    await estate.create('acme/still', { 'x.py': 'def f():\n    return 1\n' });
    await onboard(flows);

    expect(await syncAll(flows)).toMatchObject({ matched: 2, succeeded: 0, skipped: 2, objectsWritten: 0, failed: 0 });

    const commit = await estate.commit('acme/api', {
      'src/a.ts': null,
      'lib/moved.ts': LANES,
      'src/b.ts': `${RECEIPT}\n/** More. */\nexport const MORE = 1;\n`,
      'docs/c.md': null,
      'new.go': 'package main\n\nfunc main() {}\n',
    });
    const result = await syncAll(flows);
    expect(result).toMatchObject({ matched: 2, succeeded: 1, skipped: 1, failed: 0 });
    await expectReceiptTrue(tools, 'local/acme/api', commit);

    // a move embeds nothing again, and the index equals a full indexing
    const ids = await objectIdsOf(tools, 'local/acme/api');
    await (await startFlow(flows.client, 'removeRepositories', { patterns: ['local/acme/api'] })).result();
    expect(await objectIdsOf(tools, 'local/acme/api')).toEqual([]);
    expect(await tools.store.readReceipt('local/acme/api')).toBeNull();
    expect(await onboard(flows)).toMatchObject({ succeeded: 1, embedded: 0 });
    expect(await objectIdsOf(tools, 'local/acme/api')).toEqual(ids);
  });

  test('a failing repository keeps its old receipt and is repaired by the next run', async ({ flows }) => {
    const { estate, tools } = flows;
    const before = await estate.create('acme/api', { 'a.ts': LANES });
    await onboard(flows);
    const after = await estate.commit('acme/api', { 'a.ts': RECEIPT });
    const hidden = `${estate.gitDir('acme/api')}.hidden`;
    await git(['clone', '--quiet', '--bare', estate.gitDir('acme/api'), hidden]);
    await rm(estate.gitDir('acme/api'), { recursive: true });
    expect(await syncAll(flows)).toMatchObject({ succeeded: 0, failed: 1 });
    expect(await tools.store.readReceipt('local/acme/api')).toMatchObject({ commit: before, pending: null });

    await git(['clone', '--quiet', '--bare', hidden, estate.gitDir('acme/api')]);
    expect(await syncAll(flows)).toMatchObject({ succeeded: 1, failed: 0 });
    await expectReceiptTrue(tools, 'local/acme/api', after);
  });

  test('finishes an interrupted run, then continues', async ({ flows }) => {
    const { estate, tools } = flows;
    await estate.create('acme/api', { 'a.ts': LANES, 'b.ts': RECEIPT });
    await onboard(flows);
    const receipt = await tools.store.readReceipt('local/acme/api');
    if (receipt === null) throw new Error('no receipt');
    // a run that was killed before it reached a commit that was since removed by a force-push
    const lost = await estate.commit('acme/api', { 'a.ts': 'export const lost = true;\n' });
    const tree = await git([`--git-dir=${estate.gitDir('acme/api')}`, 'rev-parse', `${lost}^{tree}`]);
    const pending = { commit: lost, tree, branch: 'main', timestamp: null };
    await tools.store.writeReceipt({ ...receipt, pending });
    const commit = await estate.commit('acme/api', { 'a.ts': 'export const found = true;\n' });
    expect(await syncAll(flows)).toMatchObject({ succeeded: 1, failed: 0 });
    await expectReceiptTrue(tools, 'local/acme/api', commit);
  });
});

describe('locks', () => {
  test('a child that is cancelled alone is one failure, and the others continue', async ({ flows }) => {
    const { estate, client, tools } = flows;
    const many = Array.from({ length: 6_000 }, (_, at) => [`src/${at}.ts`, `export const v${at} = ${at};\n`]);
    await estate.create('acme/big', Object.fromEntries(many) as Record<string, string>);
    await estate.create('acme/last', { 'a.ts': LANES });
    const handle = await startFlow(client, 'onboardRepositories', { patterns: ['acme/*'], parallel: 1 });
    await expect.poll(() => tools.store.count('local/acme/big'), { interval: 20 }).toBeGreaterThan(0);
    await client.workflow.getHandle('sync/local/acme/big').cancel();
    const result = await handle.result();
    expect(result).toMatchObject({ succeeded: 1, failed: 1 });
    expect(result.failures).toMatchObject([{ repository: 'local/acme/big', type: 'Cancelled' }]);
  });

  test('a removal while a sync holds the lock is a failure, not a no-op', async ({ flows }) => {
    const { estate, client, tools } = flows;
    await estate.create('acme/api', { 'a.ts': LANES });
    await onboard(flows);
    const many = Array.from({ length: 2_500 }, (_, at) => [`src/${at}.ts`, `export const v${at} = ${at};\n`]);
    await estate.commit('acme/api', Object.fromEntries(many) as Record<string, string>);
    const sync = await startFlow(client, 'syncRepositories', { all: true });
    await expect.poll(() => tools.store.count('local/acme/api'), { interval: 20 }).toBeGreaterThan(2);
    const removal = await (await startFlow(client, 'removeRepositories', { patterns: ['acme/api'] })).result();
    expect(removal).toMatchObject({ succeeded: 0, failed: 1, failures: [{ type: 'RepositoryBusy' }] });
    expect(await sync.result()).toMatchObject({ succeeded: 1 });
  });

  test('a run under another id delegates its work to a child that has the lock', async ({ flows }) => {
    const { estate, client, started } = flows;
    await estate.create('acme/api', { 'a.ts': LANES });
    const handle = await client.workflow.start('syncRepository', {
      taskQueue: 'longhaul-flows',
      workflowId: 'by-hand',
      args: [{ repository: 'local/acme/api' }],
    });
    started.push(['by-hand', handle.firstExecutionRunId]);
    expect(await handle.result()).toMatchObject({ repository: 'local/acme/api' });
    const child = await client.workflow.getHandle('sync/local/acme/api').describe();
    expect(child.status.name).toBe('COMPLETED');
  });
});

describe('input', () => {
  test.for([
    ['onboardRepositories', { patterns: [] }, /patterns/],
    ['onboardRepositories', { patterns: ['a'], paralel: 3 }, /unknown field "paralel"/],
    ['onboardRepositories', 'everything', /onboardRepositories/],
    ['onboardRepositories', null, /patterns/],
    ['syncRepositories', { all: true, continued: { after: null } }, /unknown field "continued"/],
    ['syncRepositories', {}, /either patterns or/],
    ['syncRepositories', { all: true, parallel: 0 }, /parallel/],
    ['syncRepository', { repository: '../etc' }, /repository/],
    ['removeRepositories', { patterns: ['a'], parallel: 65 }, /parallel/],
  ] as const)('%s refuses %j at once, naming the field', async ([type, input, message], { flows }) => {
    const handle = await flows.client.workflow.start(type, {
      taskQueue: 'longhaul-flows',
      workflowId: `bad-input-${type}-${JSON.stringify(input)}`,
      args: [input],
    });
    const failure = await handle.result().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WorkflowFailedError);
    let cause = (failure as WorkflowFailedError).cause as Error & { type?: string };
    while (cause.cause instanceof Error) ({ cause } = cause as { cause: Error });
    expect(cause).toMatchObject({ type: 'InvalidInput', message: expect.stringMatching(message) as string });
  });
});
