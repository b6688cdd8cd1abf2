import { EventEmitter, once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { createCatalogActivities } from '../../../activities/catalog/catalog.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import { objectIds } from '../../../activities/index/store/object-id.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { createIndexStore } from '../../../activities/index/store/store.ts';
import type { IndexObject } from '../../../activities/index/store/write-batch.ts';
import { connectWeaviate, type IndexClient } from '../../../activities/index/store/weaviate.ts';
import { openTools } from '../../../activities/catalog/tools.ts';
import type { RepositoryOutcome } from '../../../domain/catalog/flows/fleet.ts';
import { NO_OBJECTS, xorIds } from '../../../domain/catalog/index/receipt.ts';
import { diskProblem } from '../../../client/cli/stack/weaviate-disk.ts';
import { type Stack, startStack } from '../../../stack/stack.ts';
import { readOnlyCollections } from '../../../stack/weaviate.ts';
import { readState } from '../../../stack/state.ts';
import { createEstate } from '../../support/estate.ts';
import { objectIdsOf } from '../../support/catalog/flows.ts';
import { mockActivity } from '../../support/mock-activity.ts';

const REPOSITORY = 'local/acme/written';

/** Objects of one file, each of some kilobytes. */
function objects(count: number, path = 'src/a.ts'): IndexObject[] {
  const ids = objectIds({ digest: 'd', repository: REPOSITORY, path, blob: '0123' }, count);
  return ids.map((id, ordinal) => ({
    id,
    properties: {
      repo: REPOSITORY,
      path,
      language: '',
      blob: '0123',
      ordinal,
      refs: ['HEAD'],
      text: `const größe${ordinal} = "漢字 🚀";\n`.repeat(20),
      stems: Array.from({ length: 200 }, (_, word) => `word${(word * 7 + ordinal) % 5_000}`).join(' '),
      pathStems: 'src a ts',
      scopeStems: '',
      symbols: ordinal % 2 === 0 ? [] : ['größe', 'a'],
      declares: ordinal % 3 === 0 ? [] : ['b'],
      startLine: ordinal,
      endLine: ordinal + 1,
    },
    vector: Float32Array.from({ length: 256 }, (_, k) => Math.sin(ordinal * 7 + k)),
  }));
}

test('an object is stored exactly as by the client of Weaviate', async () => {
  const client = await connectWeaviate(inject('stack').weaviate);
  const [ours, theirs] = ['WriteOurs', 'WriteTheirs'].map((name) => createIndexStore(client, name, 'd'));
  if (!ours || !theirs) throw new Error('two stores');
  try {
    await ours.prepare();
    await theirs.prepare();
    const some = objects(300);
    await ours.write(some);
    const { hasErrors } = await client.collections.use(theirs.names.chunks).data.insertMany(
      some.map(({ id, properties, vector }) => ({
        id,
        properties: { ...properties, bucket: Number.parseInt(id.slice(0, 2), 16) },
        vectors: Array.from(vector),
      })),
    );
    expect(hasErrors).toBe(false);
    const stored = async (collection: string): Promise<unknown> => {
      const found = await client.collections.use(collection).query.fetchObjects({ limit: 1_000, includeVector: true });
      return found.objects
        .map(({ uuid, properties, vectors }) => ({ uuid, properties, vectors }))
        .toSorted((a, b) => (a.uuid < b.uuid ? -1 : 1));
    };
    const written = await stored(ours.names.chunks);
    expect(written).toHaveLength(300);
    expect(written).toEqual(await stored(theirs.names.chunks));
  } finally {
    for (const store of [ours, theirs]) {
      for (const name of [store.names.chunks, store.names.receipts]) await client.collections.delete(name);
    }
    await client.close();
  }
});

test('a read-only Weaviate is its own failure, with the server and its disk, and doctor finds it', async () => {
  const { weaviate } = inject('stack');
  const client = await connectWeaviate({ ...weaviate, folder: '/srv/weaviate' });
  const store = createIndexStore(client, 'WriteFull', 'd');
  const shardsOf = async (status: 'READONLY' | 'READY'): Promise<void> => {
    for (const name of [store.names.chunks, store.names.receipts]) {
      await client.collections.use(name).config.updateShards(status);
    }
  };
  const failure = {
    type: 'WeaviateReadOnly',
    message: expect.stringMatching(/^Weaviate at .* in \/srv\/weaviate accepts/) as string,
  };
  try {
    await store.prepare();
    await store.write(objects(3));
    await shardsOf('READONLY');
    await expect(store.write(objects(3, 'src/b.ts'))).rejects.toMatchObject(failure);
    await expect(store.delete(objects(3).map(({ id }) => id))).rejects.toMatchObject(failure);
    await expect(store.deleteRepository(REPOSITORY)).rejects.toMatchObject(failure);
    await expect(store.purge(objects(1).map(({ id }) => id))).rejects.toMatchObject(failure);
    expect(await readOnlyCollections(weaviate)).toEqual(expect.arrayContaining(Object.values(store.names)));
    const target = { index: 'WriteFull', folder: tmpdir() };
    expect(await diskProblem(weaviate, target)).toMatch(/^read-only: WriteFullChunk_.*; the disk of .*, \d+ % full$/);
    await shardsOf('READY');
    await store.write(objects(3, 'src/b.ts'));
    expect(await diskProblem(weaviate, { ...target, folder: null })).toBeNull();
  } finally {
    await shardsOf('READY');
    for (const name of [store.names.chunks, store.names.receipts]) await client.collections.delete(name);
    await client.close();
  }
});

test('a failed write leaves no requests in progress', async () => {
  const client = await connectWeaviate(inject('stack').weaviate);
  // the last attempt of the first request is refused before the second request arrives
  const gate = new EventEmitter();
  const lastTry = once(gate, 'last try');
  const calls = { refused: 0, answered: 0 };
  const batches: IndexClient['batches'] = {
    ...client.batches,
    async insert(...args) {
      if (args[1].length === 1_000) {
        if (++calls.refused === 4) gate.emit('last try');
        throw new Error('refused');
      }
      await lastTry;
      const answer = await client.batches.insert(...args);
      calls.answered++;
      return answer;
    },
  };
  const store = createIndexStore({ ...client, batches }, 'WriteFails', 'd');
  try {
    await store.prepare();
    await expect(store.write(objects(1_300))).rejects.toThrow('refused');
    expect(calls).toEqual({ refused: 4, answered: 1 });
    expect(await store.count(REPOSITORY)).toBe(300);
  } finally {
    for (const name of [store.names.chunks, store.names.receipts]) await client.collections.delete(name);
    await client.close();
  }
});

describe('a Weaviate that becomes unavailable in the middle of a write', () => {
  let dataDir: string;
  let stack: Stack;
  let client: IndexClient;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'longhaul-write-'));
    const { cacheDir } = inject('stack');
    stack = await startStack({ dataDir, cacheDir, env: process.env, needs: ['weaviate'] });
    client = await connectWeaviate(stack.weaviate);
  });
  afterAll(async () => {
    await client.close();
    await stack.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  function serverPid(): number {
    const child = readState(stack.dataDir).children.find(({ name }) => name === 'weaviate');
    if (!child) throw new Error('the stack has no Weaviate');
    return child.pid;
  }

  test('and hangs: an abort ends the write immediately, and the same write succeeds later', async () => {
    const store = createIndexStore(client, 'Frozen', 'd');
    await store.prepare();
    const stop = new AbortController();
    const pid = serverPid();
    process.kill(pid, 'SIGSTOP');
    try {
      const write = store.write(objects(500), stop.signal);
      stop.abort(new Error('enough'));
      // only the abort can end it: the server hangs until the line after the next
      await expect(write).rejects.toThrow('enough');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await store.write(objects(500));
    expect(await store.count(REPOSITORY)).toBe(500);
  });

  test('and is killed: the repository is indexed completely by the runs that follow', async () => {
    const estate = await createEstate();
    const env = { ...process.env, LONGHAUL_CACHE_DIR: inject('stack').cacheDir, LONGHAUL_DATA_DIR: estate.dataDir };
    const loaded = loadConfig({ path: estate.configPath, env });
    const open = await openTools(loaded, { weaviate: stack.weaviate, modelFolder: inject('stack').modelFolder }, env);
    const tools = { ...(await open.index()), ...open };
    const { indexRepository } = createCatalogActivities(tools);
    const id = 'local/acme/core';
    const index = (): Promise<RepositoryOutcome> => mockActivity().run(indexRepository, { repository: id });
    try {
      await estate.create('acme/core', { ...sourcesOf('rxjs'), ...sourcesOf('zod') });
      const disturbed = index().catch((error: unknown) => error);
      await expect.poll(() => tools.store.count(id), { interval: 5 }).toBeGreaterThan(200);
      process.kill(serverPid(), 'SIGKILL');
      // a server that is back soon enough causes only retries
      expect(await disturbed).toSatisfy(
        (end: unknown) => !(end instanceof Error) || (end instanceof LonghaulError && end.type === 'ServerUnavailable'),
      );
      const outcome = await vi.waitFor(index, { timeout: 60_000, interval: 500 });
      const ids = await objectIdsOf(tools, id);
      expect(ids).toHaveLength(outcome.objects);
      expect(await tools.store.readReceipt(id)).toMatchObject({
        objects: ids.length,
        xor: ids.reduce(xorIds, NO_OBJECTS),
        pending: null,
      });
      expect(await index()).toMatchObject({ full: null, filesChanged: 0, objectsWritten: 0 });
    } finally {
      await tools.close();
      await estate.dispose();
    }
  });
});

function sourcesOf(packageName: string): Record<string, string> {
  const folder = new URL(`../../../node_modules/${packageName}/src/`, import.meta.url);
  const names = (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith('.ts'));
  return Object.fromEntries(
    names.map((name) => [`${packageName}/${name}`, readFileSync(new URL(name, folder), 'utf8')]),
  );
}
