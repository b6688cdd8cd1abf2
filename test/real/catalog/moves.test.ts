import { existsSync } from 'node:fs';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, inject } from 'vitest';
import { mirrorPath } from '../../../activities/mgit/mirror.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import type { CatalogFleetResult } from '../../../domain/catalog/flows/fleet.ts';
import { NO_OBJECTS, xorIds } from '../../../domain/catalog/index/receipt.ts';
import { type Forge, startForge } from '../../support/forge.ts';
import { type FlowsFixture, objectIdsOf, sourceOf, test } from '../../support/catalog/flows.ts';
import { FLOWS_QUEUE } from '../../../domain/shared/queues.ts';

const LANES = sourceOf('workflows/shared/lanes.ts');
const RECEIPT = sourceOf('domain/catalog/index/receipt.ts');

async function onboard({ client }: FlowsFixture): Promise<CatalogFleetResult> {
  return (await startFlow(client, 'onboardRepositories', { patterns: ['*/*/*'] })).result();
}

async function syncAll({ client }: FlowsFixture): Promise<CatalogFleetResult> {
  return (await startFlow(client, 'syncRepositories', { all: true })).result();
}

async function verified({ client }: FlowsFixture): Promise<CatalogFleetResult> {
  return (await startFlow(client, 'verifyCatalog', { all: true, full: true })).result();
}

/** The index has the repository, complete and correct, only under this id. */
async function expectOnly(flows: FlowsFixture, ...ids: string[]): Promise<void> {
  const { tools } = flows;
  const receipts = await tools.store.receipts();
  expect(receipts.map(({ repository }) => repository)).toEqual(ids.toSorted());
  for (const { repository, xor } of receipts) {
    const held = await objectIdsOf(tools, repository);
    expect(held.length).toBeGreaterThan(0);
    expect(held.reduce(xorIds, NO_OBJECTS)).toBe(xor);
  }
  expect(await verified(flows)).toMatchObject({ failed: 0, matched: ids.length, verification: { differing: 0 } });
}

describe('a folder that is moved', () => {
  async function move({ estate }: FlowsFixture, from: string, to: string): Promise<void> {
    await mkdir(dirname(estate.gitDir(to)), { recursive: true });
    await rename(estate.gitDir(from), estate.gitDir(to));
  }

  test('is indexed under its new name by an onboarding, and under no other', async ({ flows }) => {
    const { estate, tools } = flows;
    await estate.create('acme/api', { 'a.ts': LANES });
    await estate.create('acme/web', { 'b.ts': RECEIPT });
    await onboard(flows);
    await move(flows, 'acme/api', 'other/platform/interface');
    // found, indexed, and then killed: both ids exist
    const old = await tools.store.readReceipt('local/acme/api');
    expect(await onboard(flows)).toMatchObject({ succeeded: 1, skipped: 1, failed: 0, moved: 1, embedded: 0 });
    await expectOnly(flows, 'local/acme/web', 'local/other/platform/interface');
    if (!old) return;
    await tools.store.writeReceipt(old);
    expect(await onboard(flows)).toMatchObject({ succeeded: 1, moved: 1, failed: 0, objectsWritten: 0 });
    await expectOnly(flows, 'local/acme/web', 'local/other/platform/interface');
    expect(await onboard(flows)).toMatchObject({ succeeded: 0, skipped: 2, moved: 0 });
  });

  test('is also moved by a sync, with its changes', async ({ flows }) => {
    const { estate, tools } = flows;
    await estate.create('acme/api', { 'a.ts': LANES });
    await onboard(flows);
    await move(flows, 'acme/api', 'acme/renamed');
    const commit = await estate.commit('acme/renamed', { 'b.ts': LANES });
    expect(await syncAll(flows)).toMatchObject({ succeeded: 1, moved: 1, failed: 0, embedded: 0 });
    expect(await tools.store.readReceipt('local/acme/renamed')).toMatchObject({ commit });
    await expectOnly(flows, 'local/acme/renamed');
  });

  test('has failed once, and not also succeeded, while its former name cannot be removed', async ({ flows }) => {
    const { client, estate } = flows;
    await estate.create('acme/api', { 'a.ts': LANES });
    await onboard(flows);
    await move(flows, 'acme/api', 'acme/renamed');
    // no worker serves this queue: the lock of the former name is held until the end of the test
    const held = await client.workflow.start('syncRepository', {
      workflowId: 'sync/local/acme/api',
      taskQueue: 'no-worker',
      args: [{ repository: 'local/acme/api' }],
    });
    try {
      expect(await onboard(flows)).toMatchObject({ matched: 1, succeeded: 0, failed: 1, moved: 0 });
    } finally {
      await held.terminate();
    }
    expect(await onboard(flows)).toMatchObject({ succeeded: 1, failed: 0, moved: 1 });
    await expectOnly(flows, 'local/acme/renamed');
  });

  test('a copy, or another repository under the old name, is not a move', async ({ flows }) => {
    const { estate } = flows;
    await estate.create('acme/api', { 'a.ts': LANES });
    await onboard(flows);
    await move(flows, 'acme/api', 'acme/first');
    await estate.create('acme/api', { 'c.ts': RECEIPT });
    expect(await onboard(flows)).toMatchObject({ succeeded: 1, moved: 0, failed: 0 });
    expect(await syncAll(flows)).toMatchObject({ succeeded: 1, moved: 0, failed: 0 });
    await expectOnly(flows, 'local/acme/api', 'local/acme/first');
  });
});

describe('a repository that is renamed on a forge', () => {
  const forges = new Map<string, Forge>();
  const forgeOf = ({ estate }: FlowsFixture): Forge => {
    const forge = forges.get(estate.root);
    if (!forge) throw new Error('no forge was started');
    return forge;
  };

  test.override('providers', async ({}, { onCleanup }) => async (root: string) => {
    const forge = await startForge(root);
    forges.set(root, forge);
    onCleanup(() => forge.close());
    return [{ name: 'work', type: 'github', url: forge.url }];
  });

  test('is moved by the next sync, and everything stored under the old name is deleted', async ({ flows }) => {
    const { estate, tools, client } = flows;
    const forge = forgeOf(flows);
    await estate.create('acme/api', { 'a.ts': LANES });
    await estate.create('acme/web', { 'b.ts': RECEIPT });
    await estate.create('other/tool', { 'c.ts': RECEIPT });
    await (await startFlow(client, 'onboardRepositories', { patterns: ['acme/*', 'other/*'] })).result();
    expect(await tools.store.readReceipt('work/acme/api')).toMatchObject({
      uid: expect.stringMatching(/^127\.0\.0\.1:\d+:\d+$/) as string,
    });
    const { cacheDir } = inject('stack');
    expect(existsSync(mirrorPath(cacheDir, 'work/acme/api'))).toBe(true);

    await forge.rename('acme/api', 'acme/interface');
    expect(await verified(flows)).toMatchObject({ failed: 1, verification: { differences: { gone: 1 } } });
    expect(await syncAll(flows)).toMatchObject({ succeeded: 1, skipped: 2, moved: 1, failed: 0, embedded: 0 });
    await expectOnly(flows, 'work/acme/interface', 'work/acme/web', 'work/other/tool');
    expect(existsSync(mirrorPath(cacheDir, 'work/acme/api'))).toBe(false);
    expect(existsSync(mirrorPath(cacheDir, 'work/acme/interface'))).toBe(true);

    // transferred: an onboarding of the new place recognises it too
    await forge.rename('acme/interface', 'other/interface');
    const found = await startFlow(client, 'onboardRepositories', { patterns: ['other/*'] });
    expect(await found.result()).toMatchObject({ matched: 2, succeeded: 1, moved: 1, failed: 0, embedded: 0 });
    await expectOnly(flows, 'work/acme/web', 'work/other/interface', 'work/other/tool');

    // the forge no longer redirects the old name, because another repository has it: two repositories
    await forge.rename('other/tool', 'other/utensil');
    await estate.create('other/tool', { 'd.ts': LANES });
    const both = await startFlow(client, 'onboardRepositories', { patterns: ['other/*'] });
    expect(await both.result()).toMatchObject({ matched: 3, succeeded: 1, moved: 0, failed: 0 });
    expect(await syncAll(flows)).toMatchObject({ succeeded: 1, failed: 0 });
    const all = ['work/acme/web', 'work/other/interface', 'work/other/tool', 'work/other/utensil'];
    await expectOnly(flows, ...all);

    // an older plan that means another repository, which had this name before, removes nothing
    const uid = 'another';
    const repository = 'work/other/tool';
    const late = { taskQueue: FLOWS_QUEUE, workflowId: `sync/${repository}`, args: [{ repository, uid }] };
    const removal = await client.workflow.start('removeRepository', late);
    expect(await removal.result()).toMatchObject({ objectsDeleted: 0 });
    await expectOnly(flows, ...all);
  });

  test('a removal leaves nothing', async ({ flows }) => {
    const { estate, tools, client } = flows;
    // all files of a run share the folder of mirrors: a name that no other file uses
    await estate.create('acme/removed', { 'a.ts': LANES });
    await (await startFlow(client, 'onboardRepositories', { patterns: ['acme/*'] })).result();
    const line = { repo_id: 'work/acme/removed', op: 'add', path: 'b.ts', content: RECEIPT };
    await tools.spool.put(Readable.from([`${JSON.stringify(line)}\n`]), 'work');
    const blobs = join(estate.dataDir, 'blobs');
    const kept = async (): Promise<string[]> =>
      (await readdir(blobs, { recursive: true, withFileTypes: true })).flatMap((entry) =>
        entry.isFile() ? [entry.name] : [],
      );
    expect(await kept()).toHaveLength(2);

    const removed = await (await startFlow(client, 'removeRepositories', { patterns: ['acme/*'] })).result();
    expect(removed).toMatchObject({ succeeded: 1, failed: 0 });
    expect(await tools.store.receipts()).toEqual([]);
    expect(await tools.store.count('work/acme/removed')).toBe(0);
    expect(await kept()).toEqual([]);
    const mirrors = dirname(mirrorPath(inject('stack').cacheDir, 'work/acme/removed'));
    expect((await readdir(mirrors)).filter((name) => name.startsWith('removed.'))).toEqual([]);
  });
});
