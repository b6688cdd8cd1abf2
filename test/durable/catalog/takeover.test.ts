import { EventEmitter, once } from 'node:events';
import { describe, expect } from 'vitest';
import { type ChangeSource, ingest } from '../../../activities/index/ingest.ts';
import type { IndexStore } from '../../../activities/index/store/store.ts';
import { removeFromBuilds } from '../../../activities/catalog/removal.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import { verifyIndexed } from '../../../activities/catalog/verification.ts';
import { addressOf } from '../../../domain/catalog/flows/fleet.ts';
import type { RepositoryAddress } from '../../../domain/git/repository.ts';
import { type FlowsFixture, objectIdsOf, sourceOf, test } from '../../support/catalog/flows.ts';

const options = { signal: new AbortController().signal, onProgress: () => undefined };
const repair = { ...options, repair: true };
const ID = 'local/acme/api';

/** The differential to HEAD; waits for `before` ahead of the first change, like a process that is suspended there. */
async function toHead(
  { tools }: FlowsFixture,
  address: RepositoryAddress,
  before: Promise<unknown> = Promise.resolve(),
): Promise<ChangeSource> {
  const delta = await tools.mgit.diff(address, null, options);
  return {
    to: delta.to,
    full: delta.full,
    readOld: delta.readOld,
    async *changes() {
      await before;
      yield* delta.changes();
    },
  };
}

describe('a run that was suspended until another took over', () => {
  test('does not overwrite the newer receipt', async ({ flows }) => {
    const { estate, tools } = flows;
    await estate.create('acme/api', { 'a.ts': sourceOf('workflows/shared/lanes.ts') });
    const address = addressOf(await tools.mgit.find(ID, options));
    const going = new EventEmitter();
    const stopped = once(going, 'on');
    const frozen = ingest(tools, address, await toHead(flows, address, stopped), null, options);
    await expect.poll(() => tools.store.readReceipt(ID)).toMatchObject({ commit: '', pending: {} });

    // the content that the suspended run holds is in no indexed commit any more
    const commit = await estate.commit('acme/api', { 'a.ts': sourceOf('domain/catalog/index/receipt.ts') });
    const unfinished = await tools.store.readReceipt(ID);
    const { receipt } = await ingest(tools, address, await toHead(flows, address), unfinished, options);
    const ids = await objectIdsOf(tools, ID);
    going.emit('on');
    await expect(frozen).rejects.toMatchObject({ type: 'RepositoryBusy' });
    expect(await tools.store.readReceipt(ID)).toEqual(receipt);
    expect(receipt).toMatchObject({ commit, objects: ids.length, pending: null });
    expect(await objectIdsOf(tools, ID)).toEqual(ids);
  });

  test('does not start from an outdated receipt', async ({ flows }) => {
    const { estate, tools } = flows;
    await estate.create('acme/api', { 'a.ts': sourceOf('workflows/shared/lanes.ts') });
    const address = addressOf(await tools.mgit.find(ID, options));
    const late = await toHead(flows, address);
    const { receipt } = await ingest(tools, address, await toHead(flows, address), null, options);
    await expect(ingest(tools, address, late, null, options)).rejects.toMatchObject({ type: 'RepositoryBusy' });
    expect(await tools.store.readReceipt(ID)).toEqual(receipt);
  });

  test('finds the work done when the other run was an earlier attempt of it', async ({ flows }) => {
    const { estate, tools, client } = flows;
    await estate.create('acme/api', { 'a.ts': sourceOf('workflows/shared/lanes.ts') });
    const address = addressOf(await tools.mgit.find(ID, options));
    // the earlier attempt ends after this activity has read the receipt and before it starts
    const { mgit } = await tools.index();
    const { diff } = mgit;
    let earlier: ReturnType<typeof ingest> | undefined;
    Object.assign(mgit, {
      async diff(...args: Parameters<typeof diff>) {
        Object.assign(mgit, { diff });
        const delta = await diff(...args);
        await (earlier = toHead(flows, address).then((source) => ingest(tools, address, source, null, options)));
        return delta;
      },
    });
    const result = await (await startFlow(client, 'onboardRepositories', { patterns: ['*/*/*'] })).result();
    expect(result).toMatchObject({ succeeded: 1, failed: 0, objectsWritten: 0 });
    expect(await tools.store.readReceipt(ID)).toEqual((await earlier)?.receipt);
  });
});

/** A repository at its first commit with a lost object, and a function that indexes later commits. */
async function indexDamaged(flows: FlowsFixture): Promise<{ indexNext: () => ReturnType<typeof ingest> }> {
  const { estate, tools } = flows;
  await estate.create('acme/api', { 'a.ts': sourceOf('workflows/shared/lanes.ts'), 'c.txt': 'plain words\n' });
  const address = addressOf(await tools.mgit.find(ID, options));
  await ingest(tools, address, await toHead(flows, address), null, options);
  await tools.store.delete((await objectIdsOf(tools, ID)).slice(0, 1));
  async function indexNext(): ReturnType<typeof ingest> {
    await estate.commit('acme/api', { 'a.ts': sourceOf('domain/catalog/index/receipt.ts') });
    return ingest(tools, address, await toHead(flows, address), await tools.store.readReceipt(ID), options);
  }
  return { indexNext };
}

describe('a repair that was suspended until another run took over', () => {
  test('does not start any more', async ({ flows }) => {
    const { tools } = flows;
    const { indexNext } = await indexDamaged(flows);
    const gate = new EventEmitter();
    const stopped = once(gate, 'on');
    const mgit = {
      ...tools.mgit,
      async diff(...args: Parameters<typeof tools.mgit.diff>) {
        const listing = await tools.mgit.diff(...args);
        gate.emit('reached');
        await stopped;
        return listing;
      },
    };
    const reached = once(gate, 'reached');
    const frozen = verifyIndexed({ ...tools, mgit }, ID, repair);
    await reached;
    const { receipt } = await indexNext();
    const ids = await objectIdsOf(tools, ID);
    gate.emit('on');
    await expect(frozen).rejects.toMatchObject({ type: 'RepositoryBusy' });
    expect(await tools.store.readReceipt(ID)).toEqual(receipt);
    expect(await objectIdsOf(tools, ID)).toEqual(ids);
  });

  test('deletes no objects of the other run', async ({ flows }) => {
    const { tools } = flows;
    const { indexNext } = await indexDamaged(flows);
    const gate = new EventEmitter();
    const stopped = once(gate, 'on');
    const store: IndexStore = {
      ...tools.store,
      async *inventory(repository) {
        gate.emit('reached');
        await stopped;
        yield* tools.store.inventory(repository);
      },
    };
    const reached = once(gate, 'reached');
    const frozen = verifyIndexed({ ...tools, store }, ID, repair);
    await reached;
    // the lost object is written again, and the receipt is marked as in progress
    expect((await tools.store.readReceipt(ID))?.pending?.run).toBeTypeOf('string');
    const { receipt } = await indexNext();
    const ids = await objectIdsOf(tools, ID);
    gate.emit('on');
    await expect(frozen).rejects.toMatchObject({ type: 'RepositoryBusy' });
    expect(await tools.store.readReceipt(ID)).toEqual(receipt);
    expect(receipt).toMatchObject({ objects: ids.length, pending: null });
    expect(await objectIdsOf(tools, ID)).toEqual(ids);
  });
});

describe('a removal', () => {
  test('that was suspended does not delete what was indexed again in the meantime', async ({ flows }) => {
    const { tools } = flows;
    const { indexNext } = await indexDamaged(flows);
    const gate = new EventEmitter();
    const stopped = once(gate, 'on');
    const mgit = {
      async forget(id: string) {
        gate.emit('reached');
        await stopped;
        await tools.mgit.forget(id);
      },
    };
    const reached = once(gate, 'reached');
    const frozen = removeFromBuilds({ ...tools, mgit }, ID, options.signal);
    await reached;
    const { receipt } = await indexNext();
    const ids = await objectIdsOf(tools, ID);
    gate.emit('on');
    await expect(frozen).rejects.toMatchObject({ type: 'RepositoryBusy' });
    expect(await tools.store.readReceipt(ID)).toEqual(receipt);
    expect(await objectIdsOf(tools, ID)).toEqual(ids);
  });

  test('that is interrupted between two builds is still visible in the live one', async ({ flows }) => {
    const { tools } = flows;
    await indexDamaged(flows);
    const [live] = await tools.builds.list();
    const receipt = await tools.store.readReceipt(ID);
    if (!live || !receipt) throw new Error('nothing was indexed');
    await tools.builds.create('beside0beside0', live.settings);
    const other = tools.builds.store('beside0beside0');
    await other.writeReceipt(receipt);

    const stop = new AbortController();
    const builds = {
      ...tools.builds,
      store(digest: string): IndexStore {
        const store = tools.builds.store(digest);
        const deleteRepository: IndexStore['deleteRepository'] = (...args) =>
          store.deleteRepository(...args).finally(() => stop.abort());
        return { ...store, deleteRepository };
      },
    };
    await expect(removeFromBuilds({ ...tools, builds }, ID, stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
    expect(await other.readReceipt(ID)).toBeNull();
    expect(await tools.store.readReceipt(ID)).toMatchObject({ commit: '', pending: null });

    await removeFromBuilds(tools, ID, options.signal);
    expect(await tools.store.readReceipt(ID)).toBeNull();
    expect(await objectIdsOf(tools, ID)).toEqual([]);
  });
});
