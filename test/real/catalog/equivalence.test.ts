import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { ANALYSIS_CACHE } from '../../../activities/index/analysis/analyzer.ts';
import { createCatalogActivities } from '../../../activities/catalog/catalog.ts';
import { ingest } from '../../../activities/index/ingest.ts';
import { createEstate } from '../../support/estate.ts';
import { expectReceiptTrue, objectIdsOf, openEstate } from '../../support/catalog/flows.ts';
import { ID, indexed, expectWalkEqualsScratch } from '../../support/catalog/random-walk.ts';
import { mockActivity } from '../../support/mock-activity.ts';

test('the incremental index equals the index from scratch at every step of a short random walk', async () => {
  await expect(expectWalkEqualsScratch(1, 4)).resolves.toBeGreaterThanOrEqual(4);
});

describe('an activity', () => {
  test('stops when it is cancelled, heartbeats, and leaves the old receipt', async () => {
    const estate = await createEstate();
    const tools = await openEstate(estate);
    try {
      const before = await estate.create('acme/walk', { 'a.ts': 'export const a = 1;\n' });
      const cloneUrl = estate.gitDir('acme/walk');
      await indexed(tools, cloneUrl);
      const many = Array.from({ length: 400 }, (_, at) => [`src/${at}.ts`, `export const value${at} = ${at};\n`]);
      await estate.commit('acme/walk', Object.fromEntries(many) as Record<string, string>);
      const environment = mockActivity();
      const beats: unknown[] = [];
      environment.on('heartbeat', (details: unknown) => {
        beats.push(details);
        environment.cancel('CANCELLED');
      });
      const running = environment.run(createCatalogActivities(tools).indexRepository, {
        repository: { id: ID, cloneUrl },
      });
      await expect(running).rejects.toMatchObject({ name: 'CancelledFailure' });
      expect(beats.length).toBeGreaterThan(0);
      expect(await tools.store.readReceipt(ID)).toMatchObject({ commit: before });
      const finished = await indexed(tools, cloneUrl);
      expect(finished.objects).toBe((await objectIdsOf(tools, ID)).length);
      expect(finished.objects).toBe(401);
    } finally {
      await tools.close();
      await estate.dispose();
    }
  });
});

describe('an ingestion', () => {
  test('fails when a batch fails while it waits for the next file', async () => {
    const estate = await createEstate();
    const tools = await openEstate(estate);
    try {
      let broken = false;
      const store = {
        ...tools.store,
        write: async (objects: Parameters<typeof tools.store.write>[0]) => {
          if (broken) return tools.store.write(objects);
          broken = true;
          throw new Error('the connection broke');
        },
      };
      const source = {
        to: { commit: 'a'.repeat(40), tree: 'b'.repeat(40), branch: 'main', timestamp: null },
        full: 'first-sync' as const,
        readOld: () => {
          throw new Error('there is nothing old');
        },
        async *changes() {
          for (let at = 0; at < 350; at++) {
            // a slow remote: the first batch fails while no code awaits it
            if (at === 250) await vi.waitUntil(() => broken, { timeout: 60_000 });
            const content = Buffer.from(`export const v${at} = ${at};\n`);
            const blob = { oid: String(at).padStart(40, '0'), mode: '100644' };
            yield { op: 'add' as const, path: `src/${at}.ts`, blob, size: content.length, content };
          }
        },
      };
      const options = { signal: new AbortController().signal, onProgress: () => undefined };
      const running = ingest({ ...tools, store }, { id: ID, cloneUrl: '/none' }, source, null, options);
      await expect(running).rejects.toThrow('the connection broke');
      expect(await tools.store.readReceipt(ID)).toMatchObject({ commit: '', objects: 0 });
    } finally {
      await tools.close();
      await estate.dispose();
    }
  });
});

describe('a cache that another process locks', () => {
  test('costs an ingestion nothing but time', async () => {
    const [estate, other] = [await createEstate(), await createEstate()];
    const cacheDir = join(estate.dataDir, 'cache');
    await mkdir(cacheDir, { recursive: true });
    await symlink(join(inject('stack').cacheDir, 'models'), join(cacheDir, 'models'));
    const [tools, scratch] = [await openEstate(estate, cacheDir), await openEstate(other)];
    try {
      const cloneUrl = estate.gitDir('acme/walk');
      await estate.create('acme/walk', { 'a.ts': 'export const a = 1;\n' });
      await indexed(tools, cloneUrl);
      const writer = await lockInProcess(join(cacheDir, ANALYSIS_CACHE));
      await estate.commit('acme/walk', { 'b.ts': 'export const b = 2;\n', 'c.py': 'def c():\n    return 3\n' });
      await indexed(tools, cloneUrl);
      // how many chunks these had is in no cache
      const commit = await estate.commit('acme/walk', { 'b.ts': null, 'c.py': 'def d():\n    return 4\n' });
      expect(await indexed(tools, cloneUrl)).toMatchObject({ commit, objects: 2 });
      expect(writer.exitCode).toBeNull();
      await expectReceiptTrue(tools, ID, commit);
      await indexed(scratch, cloneUrl);
      expect(await objectIdsOf(tools, ID)).toEqual(await objectIdsOf(scratch, ID));
    } finally {
      await tools.close();
      await scratch.close();
      await estate.dispose();
      await other.dispose();
    }
  });
});

/** A process that holds the write lock of a database until the test has finished. */
async function lockInProcess(file: string): Promise<ChildProcess> {
  const script = `
    const database = new (require('node:sqlite').DatabaseSync)(process.argv[1], { timeout: 10000 });
    database.exec('BEGIN IMMEDIATE');
    process.on('disconnect', () => process.exit());
    process.send('locked');`;
  const child = spawn(process.execPath, ['--no-warnings', '--eval', script, file], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill());
  await once(child, 'message');
  return child;
}

describe('the store', () => {
  test('never counts refused objects as written', async () => {
    const estate = await createEstate();
    const tools = await openEstate(estate);
    try {
      await estate.create('acme/walk', { 'a.ts': 'export const a = 1;\n' });
      await indexed(tools, estate.gitDir('acme/walk'));
      const properties = {
        repo: ID,
        path: 'b.ts',
        language: '',
        blob: '',
        ordinal: 0,
        refs: [],
        text: '',
        stems: '',
        pathStems: '',
        scopeStems: '',
        symbols: [],
        declares: [],
        startLine: 1,
        endLine: 1,
      };
      const good = { id: '00000000-0000-5000-8000-000000000001', properties, vector: new Float32Array(256).fill(0.1) };
      const bad = { id: '00000000-0000-5000-8000-000000000002', properties, vector: new Float32Array(3).fill(0.1) };
      await expect(tools.store.write([good, bad])).rejects.toMatchObject({
        type: 'IndexIncomplete',
        message: expect.stringContaining('refused 1 of 2 objects') as string,
      });
      expect(await tools.store.count(ID)).toBe(2);
    } finally {
      await tools.close();
      await estate.dispose();
    }
  });

  test('rejects a collection of another program', async () => {
    const estate = await createEstate();
    const { default: weaviate } = await import('weaviate-client');
    const tools = await openEstate(estate);
    const { connectWeaviate } = await import('../../../activities/index/store/weaviate.ts');
    const client = await connectWeaviate(inject('stack').weaviate);
    try {
      const { receipts } = tools.store.names;
      await client.collections.delete(receipts);
      await client.collections.create({
        name: receipts,
        properties: [{ name: 'repository', dataType: 'int' as const }],
        vectorizers: weaviate.configure.vectors.selfProvided(),
      });
      await expect(tools.store.prepare()).rejects.toMatchObject({ type: 'SchemaMismatch' });
    } finally {
      await client.close();
      await tools.close();
      await estate.dispose();
    }
  });
});
