import { EventEmitter, once } from 'node:events';
import { describe, expect } from 'vitest';
import { type ChangeSource, ingest } from '../../activities/index/ingest.ts';
import { addressOf } from '../../domain/catalog/flows.ts';
import type { RepositoryAddress } from '../../domain/catalog/repository.ts';
import { type FlowsFixture, objectIdsOf, sourceOf, test } from '../support/flows.ts';

const options = { signal: new AbortController().signal, onProgress: () => undefined };
const ID = 'local/acme/api';

/** The way to HEAD; `before` is waited for ahead of the first change, as a process that is stopped there would. */
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

describe('a run that was stopped for so long that another took its place', () => {
  test('does not overwrite the newer receipt', async ({ flows }) => {
    const { estate, tools } = flows;
    await estate.create('acme/api', { 'a.ts': sourceOf('workflows/shared/lanes.ts') });
    const address = addressOf(await tools.mgit.find(ID, options));
    const going = new EventEmitter();
    const stopped = once(going, 'on');
    const frozen = ingest(tools, address, await toHead(flows, address, stopped), null, options);
    await expect.poll(() => tools.store.readReceipt(ID)).toMatchObject({ commit: '', pending: {} });

    const commit = await estate.commit('acme/api', { 'b.ts': sourceOf('domain/catalog/receipt.ts') });
    const unfinished = await tools.store.readReceipt(ID);
    const { receipt } = await ingest(tools, address, await toHead(flows, address), unfinished, options);
    const ids = await objectIdsOf(tools, ID);
    going.emit('on');
    await expect(frozen).rejects.toMatchObject({ type: 'RepositoryBusy' });
    expect(await tools.store.readReceipt(ID)).toEqual(receipt);
    expect(receipt).toMatchObject({ commit, objects: ids.length, pending: null });
    expect(await objectIdsOf(tools, ID)).toEqual(ids);
  });

  test('does not begin from a receipt that is no longer the last', async ({ flows }) => {
    const { estate, tools } = flows;
    await estate.create('acme/api', { 'a.ts': sourceOf('workflows/shared/lanes.ts') });
    const address = addressOf(await tools.mgit.find(ID, options));
    const late = await toHead(flows, address);
    const { receipt } = await ingest(tools, address, await toHead(flows, address), null, options);
    await expect(ingest(tools, address, late, null, options)).rejects.toMatchObject({ type: 'RepositoryBusy' });
    expect(await tools.store.readReceipt(ID)).toEqual(receipt);
  });
});
