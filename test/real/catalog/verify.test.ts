import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { describe, expect } from 'vitest';
import { createCatalogActivities } from '../../../activities/catalog/catalog.ts';
import { objectId } from '../../../activities/index/store/object-id.ts';
import type { IndexStore } from '../../../activities/index/store/store.ts';
import { bucketOf } from '../../../activities/index/store/write-batch.ts';
import { verifyIndexed as verifyOne } from '../../../activities/catalog/verification.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import type { DifferenceKind, RepositoryVerification } from '../../../domain/catalog/index/verification.ts';
import { commandEnv, longhaul } from '../../support/command.ts';
import type { FlowsFixture } from '../../support/catalog/flows.ts';
import type { RawIndex, RawObject } from '../../support/catalog/raw-index.ts';
import { mockActivity } from '../../support/mock-activity.ts';
import {
  API,
  contentOf,
  indexTwo,
  kindsOf,
  LANES,
  NOTHING,
  onboardAll,
  test,
  verifyAll,
  WEB,
} from '../../support/catalog/verifications.ts';

/** A full verification without flows: their totals are tested elsewhere. */
async function compared({ tools }: FlowsFixture, repair: boolean): Promise<object> {
  const { verifyRepository } = createCatalogActivities(tools);
  const plan = await tools.planner.verification(null, { full: true });
  const sum = {
    found: {} as Partial<Record<DifferenceKind, number>>,
    isTrue: true,
    written: 0,
    deleted: 0,
    embedded: 0,
  };
  for (const { id: repository } of plan.work) {
    const one: RepositoryVerification = await mockActivity().run(verifyRepository, {
      repository,
      repair,
    });
    for (const [kind, { count }] of Object.entries(one.differences)) {
      sum.found[kind as DifferenceKind] = (sum.found[kind as DifferenceKind] ?? 0) + count;
    }
    sum.isTrue &&= one.isTrue;
    sum.written += one.objectsWritten;
    sum.deleted += one.objectsDeleted;
    sum.embedded += one.embedded;
  }
  return sum;
}

/** A Weaviate after a kill that still has an object but lost its index entries: only its id finds it. */
function hidingUntilPurged(store: IndexStore, id: string): Partial<IndexStore> {
  let isHidden = true;
  async function* visible<Entry extends { readonly id: string }>(
    pages: AsyncIterable<Entry[]>,
  ): AsyncIterable<Entry[]> {
    for await (const page of pages) yield page.filter((entry) => !isHidden || entry.id !== id);
  }
  return {
    read: (ids) => visible(store.read(ids)),
    inventory: (repository) => visible(store.inventory(repository)),
    count: async (repository) => (await store.count(repository)) - (isHidden ? 1 : 0),
    async purge(ids) {
      if (ids.includes(id)) isHidden = false;
      await store.purge(ids);
    },
  };
}

interface Damage {
  readonly what: string;
  readonly found: Partial<Record<DifferenceKind, number>>;
  /** False for damage that numbers do not show. */
  readonly cheap: boolean;
  readonly written: number;
  readonly deleted: number;
  /** Returns the ids that may be written. */
  readonly damage: (
    raw: RawIndex,
    objects: readonly RawObject[],
    stale: RawObject,
    digest: string,
  ) => Promise<string[]>;
}

const change = (what: string, property: Record<string, unknown>, cheap = false): Damage => ({
  what,
  found: { altered: 1 },
  cheap,
  written: 1,
  deleted: 0,
  async damage(raw, [object]) {
    if (!object) return [];
    await raw.put({ ...object, properties: { ...object.properties, ...property } });
    return [object.id];
  },
});

const receipt = (what: string, fields: Record<string, unknown>, cheap: boolean): Damage => ({
  what: `a receipt with ${what}`,
  found: { receipt: 1 },
  cheap,
  written: 0,
  deleted: 0,
  async damage(raw) {
    await raw.damageReceipt(API, fields);
    return [];
  },
});

const insert = (
  what: string,
  kind: DifferenceKind,
  make: (object: RawObject, stale: RawObject, digest: string) => Pick<RawObject, 'id' | 'properties' | 'vector'>,
): Damage => ({
  what,
  found: { [kind]: 1 },
  cheap: true,
  written: 0,
  deleted: 1,
  async damage(raw, [object], stale, digest) {
    if (object) await raw.put(make(object, stale, digest));
    return [];
  },
});

const DAMAGES: readonly Damage[] = [
  {
    what: 'two lost objects',
    found: { missing: 2 },
    cheap: true,
    written: 2,
    deleted: 0,
    async damage(raw, objects) {
      const ids = objects.slice(0, 2).map(({ id }) => id);
      await raw.delete(...ids);
      return ids;
    },
  },
  insert('an object of an older commit', 'stale', (_, stale) => stale),
  insert('an object beyond the last chunk', 'stale', ({ properties, vector }, _, digest) => {
    const { path, blob } = properties as { path: string; blob: string };
    const id = objectId({ digest, repository: API, path, blob }, 99);
    return { id, properties: { ...properties, ordinal: 99, bucket: bucketOf(id) }, vector };
  }),
  insert('an object of an older commit in no bucket', 'stale', (_, { id, properties, vector }) => ({
    id,
    properties: { ...properties, bucket: 999 },
    vector,
  })),
  insert('an id that follows from nothing', 'foreign', ({ properties, vector }) => {
    const id = randomUUID();
    return { id, properties: { ...properties, bucket: bucketOf(id) }, vector };
  }),
  insert('an object of an unknown repository', 'foreign', ({ properties, vector }) => {
    const id = randomUUID();
    return { id, properties: { ...properties, repo: 'local/acme/nobody', bucket: bucketOf(id) }, vector };
  }),
  insert('an object of no repository', 'foreign', ({ vector }) => ({ id: randomUUID(), properties: {}, vector })),
  change('another text', { text: 'changed' }),
  change('another startLine', { startLine: 77 }),
  change('other symbols', { symbols: ['other'] }),
  change('other declared names', { declares: ['other'] }),
  change('a bucket that does not exist', { bucket: 999 }),
  {
    what: 'another vector',
    found: { altered: 1 },
    cheap: false,
    written: 1,
    deleted: 0,
    async damage(raw, [object]) {
      if (!object) return [];
      await raw.put({ ...object, vector: object.vector.toReversed() });
      return [object.id];
    },
  },
  {
    what: 'two swapped vectors',
    found: { altered: 2 },
    cheap: false,
    written: 2,
    deleted: 0,
    async damage(raw, [one, two]) {
      if (!one || !two) return [];
      await raw.put({ ...one, vector: two.vector }, { ...two, vector: one.vector });
      return [one.id, two.id];
    },
  },
  receipt('another number of objects', { objects: 999 }, true),
  receipt('another XOR', { xor: 'f'.repeat(32) }, true),
  receipt('another number of files', { files: 999 }, false),
  receipt('another tree', { tree: '1'.repeat(40) }, false),
  receipt('another address', { cloneUrl: '/nowhere' }, false),
  receipt('an unknown commit', { commit: '1'.repeat(40) }, false),
  receipt(
    'a run that was not finished',
    { pending: JSON.stringify({ commit: '2'.repeat(40), tree: '3'.repeat(40), branch: 'main', timestamp: null }) },
    true,
  ),
];

describe('verification', () => {
  test('finds nothing in a healthy index, and repairs each kind of damage', async ({ flows, raw }) => {
    const { tools } = flows;
    const { stale } = await indexTwo(flows, raw);
    const healthy = await contentOf(raw);
    const before = await raw.chunks();
    for (const input of [{}, { full: true }, { repair: true }, { full: true, repair: true }]) {
      expect(await verifyAll(flows, input), JSON.stringify(input)).toMatchObject({ matched: 2, ...NOTHING });
    }
    expect(await raw.chunks()).toEqual(before);

    const objects = before.filter(({ properties }) => properties['repo'] === API);
    for (const { what, found, cheap, written, deleted, damage } of DAMAGES) {
      const intact = new Map((await raw.chunks()).map(({ id, writtenAt }) => [id, writtenAt]));
      const damaged = new Set(await damage(raw, objects, stale, tools.analyzer.digest));
      const atFirst = await contentOf(raw);
      expect(atFirst, what).not.toEqual(healthy);

      expect((await tools.planner.verification(null, { full: false })).work.length, what).toBe(cheap ? 1 : 0);
      const report = await compared(flows, false);
      expect(report, what).toEqual({ found, isTrue: false, written: 0, deleted: 0, embedded: 0 });
      expect(await contentOf(raw), what).toEqual(atFirst);
      expect(await compared(flows, true), what).toEqual({ found, isTrue: true, written, deleted, embedded: 0 });
      expect(await contentOf(raw), what).toEqual(healthy);
      const touched = (await raw.chunks()).filter(({ id, writtenAt }) => intact.get(id) !== writtenAt);
      expect(new Set(touched.map(({ id }) => id)), `${what}: nothing else is written`).toEqual(damaged);
    }
  });

  test('differences in the numbers are repaired without checking the rest', async ({ flows, raw }) => {
    await indexTwo(flows, raw);
    const healthy = await contentOf(raw);
    const [object] = await raw.chunks();
    if (!object) return;
    await raw.delete(object.id);
    const repaired = await verifyAll(flows, { repair: true });
    expect(repaired).toMatchObject({ succeeded: 1, skipped: 1, objectsWritten: 1, objectsDeleted: 0 });
    expect(await contentOf(raw)).toEqual(healthy);
  });

  test('an object that Weaviate has but does not find is written again', async ({ flows, raw }) => {
    const { tools } = flows;
    await indexTwo(flows, raw);
    const healthy = await contentOf(raw);
    const lost = (await raw.chunks()).find(({ properties }) => properties['repo'] === API)?.id ?? '';
    const store = { ...tools.store, ...hidingUntilPurged(tools.store, lost) };
    const options = { repair: true, signal: new AbortController().signal, onProgress: () => undefined };
    const first = verifyOne({ ...tools, store }, API, options);
    await expect(first).rejects.toMatchObject({ type: 'IndexIncomplete' });
    expect((await raw.chunks()).map(({ id }) => id)).not.toContain(lost);
    const second = await verifyOne({ ...tools, store }, API, options);
    expect(second).toMatchObject({ isTrue: true, objectsWritten: 1, objectsDeleted: 0 });
    expect(await contentOf(raw)).toEqual(healthy);
  });

  test('objects without their receipt are foreign; the next onboarding restores them', async ({ flows, raw }) => {
    await indexTwo(flows, raw);
    const healthy = await contentOf(raw);
    await raw.deleteReceipt(WEB);
    const held = await flows.tools.store.count(WEB);
    const report = await verifyAll(flows, { repair: true });
    expect(kindsOf(report)).toEqual({ foreign: held });
    expect(report).toMatchObject({ failed: 0, objectsDeleted: held });
    expect(await onboardAll(flows)).toMatchObject({ succeeded: 1, embedded: 0 });
    expect(await contentOf(raw)).toEqual(healthy);
  });
});

describe('a repository that is gone', () => {
  test('is removed when its provider shows other repositories, and never because of an outage', async ({
    flows,
    raw,
  }) => {
    const { estate, tools } = flows;
    await indexTwo(flows, raw);
    await rename(estate.root, `${estate.root}-away`);
    const outage = await verifyAll(flows, { repair: true });
    expect(outage).toMatchObject({ failures: [{ repository: 'local', type: 'DiscoveryFailed' }], objectsDeleted: 0 });
    expect(kindsOf(outage)).toEqual({});
    await rename(`${estate.root}-away`, estate.root);

    await rm(estate.gitDir('acme/web'), { recursive: true });
    const report = await verifyAll(flows);
    expect(kindsOf(report)).toEqual({ gone: 1 });
    expect(report).toMatchObject({ failures: [{ repository: WEB, type: 'IndexDiffers' }] });
    const held = await tools.store.count(WEB);
    expect(await verifyAll(flows, { repair: true })).toMatchObject({ failed: 0, objectsDeleted: held });
    expect(await tools.store.readReceipt(WEB)).toBeNull();
    expect(await verifyAll(flows, { full: true })).toMatchObject({ matched: 1, ...NOTHING });

    // the organization is empty: this could be a disk that is not mounted
    await rm(estate.gitDir('acme/api'), { recursive: true });
    const doubtful = await verifyAll(flows, { repair: true });
    expect(kindsOf(doubtful)).toEqual({ gone: 1 });
    expect(doubtful).toMatchObject({ failed: 1, objectsDeleted: 0 });
    expect(await tools.store.readReceipt(API)).not.toBeNull();
  });

  test('one whose provider is not configured is foreign, and stays until it is removed', async ({ flows, raw }) => {
    const { tools } = flows;
    await indexTwo(flows, raw);
    const web = await tools.store.readReceipt(WEB);
    if (!web) return;
    await tools.store.writeReceipt({ ...web, repository: 'elsewhere/acme/web', objects: 0, xor: '0'.repeat(32) });
    const report = await verifyAll(flows, { repair: true });
    expect(kindsOf(report)).toEqual({ foreign: 1 });
    expect(report).toMatchObject({ failures: [{ repository: 'elsewhere/acme/web', type: 'IndexDiffers' }] });
    expect(await tools.store.readReceipt('elsewhere/acme/web')).not.toBeNull();
  });

  test('one that was ingested as a stream is checked only by its numbers', async ({ flows, raw }) => {
    const { tools, client } = flows;
    const line = { repo_id: 'stdin/acme/feed', op: 'add', path: 'a.ts', content: LANES };
    const [spooled] = await tools.spool.put(Readable.from([`${JSON.stringify(line)}\n`]), 'stdin');
    if (!spooled) throw new Error('nothing was spooled');
    await (await startFlow(client, 'ingestStream', spooled)).result();
    expect(await verifyAll(flows, { full: true, repair: true })).toMatchObject(NOTHING);
    const [object] = await raw.chunks();
    if (!object) return;
    await raw.put({ ...object, id: randomUUID() });
    await raw.delete(object.id);
    const report = await verifyAll(flows, { repair: true });
    expect(kindsOf(report)).toEqual({ foreign: 1, receipt: 1 });
    expect(report).toMatchObject({
      failed: 1,
      objectsDeleted: 1,
      verification: { repositories: [{ compared: 'counts', note: expect.stringContaining('stream') as string }] },
    });
  });
});

describe('longhaul index verify', () => {
  test('reports differences and ends with a separate exit code until they are repaired', async ({ flows, raw }) => {
    await indexTwo(flows, raw);
    const env = commandEnv(flows.estate);
    const run = (...args: string[]) => longhaul(env, ['index', 'verify', ...args]);
    expect(await run()).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--all') as string });
    const [object] = await raw.chunks();
    if (!object) return;
    await raw.delete(object.id);
    const differs = await run('acme/*', '--json');
    expect(differs.exitCode).toBe(7);
    expect(JSON.parse(differs.stdout)).toMatchObject({ verification: { differences: { missing: 1 } } });
    const repaired = await run('--all', '--repair');
    expect(repaired).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('repaired: 1 missing') as string });
    expect((await run('--all', '--full')).exitCode).toBe(0);
  });
});
