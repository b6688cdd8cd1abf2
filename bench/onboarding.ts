import { join } from 'node:path';
import pLimit from 'p-limit';
import { createAnalyzer } from '../activities/index/analyzer.ts';
import { ingest } from '../activities/index/ingest.ts';
import type { ChangeSource } from '../activities/index/ingest.ts';
import { createIndexStore } from '../activities/index/store.ts';
import type { IndexObject, IndexStore } from '../activities/index/store.ts';
import { connectWeaviate, type IndexClient } from '../activities/index/weaviate.ts';
import { createMgit } from '../activities/mgit/index.ts';
import type { RepositoryAddress } from '../domain/catalog/repository.ts';
import { makeCorpus } from './corpus.ts';
import { mustEqual, timed } from './harness.ts';
import type { BenchContext, Benchmark, Figure } from './harness.ts';
import { emptyCache, modelCache, startServers } from './servers.ts';
import { createSink } from './sink.ts';

/** Repositories that a worker indexes at the same time. */
const LANES = 8;

/**
 * First indexing of real code, from bare repositories to the last receipt, with no mirror and no embedding known: against
 * the fastest way to put the same ready objects, vectors included, into the same Weaviate, which is the client's streaming
 * batch. And the same again into a sink, which is what is left of it without Weaviate. The work of the activity,
 * without the flow around it.
 */
export const onboarding: Benchmark = {
  about: 'first indexing of real code, chunks/s ÷ streaming batch insert of the same ready objects',
  measure,
};

async function measure(context: BenchContext): Promise<Figure[]> {
  const { runs, dir, signal, note } = context;
  const repositories = await makeCorpus(join(dir, 'repositories'), signal);
  const stack = await startServers(context, ['weaviate', 'model']);
  const client = await connectWeaviate({ ...stack.weaviate, apiKey: stack.weaviate.apiKey ?? undefined });
  try {
    const indexing: Indexing = { repositories, modelFolder: stack.model.folder, dir, signal };
    note('warm-up, which collects the ready objects');
    const ready: IndexObject[] = [];
    const first = await index(indexing, 'warm-up', (digest) =>
      collecting(createIndexStore(client, 'WarmUp', digest), ready),
    );
    note(`${first.files} files, ${ready.length} chunks`);

    const ours: number[] = [];
    const plain: number[] = [];
    const sinkChunks: number[] = [];
    const sinkFiles: number[] = [];
    for (let run = 0; run < runs; run++) {
      const floor = await plainInsert(client, `Plain${run}`, ready);
      const real = await index(indexing, `run-${run}`, (digest) => createIndexStore(client, `Run${run}`, digest));
      mustEqual('chunks that were indexed', real.chunks, ready.length);
      const sink = await index(indexing, `sink-${run}`, createSink);
      mustEqual('chunks that reached the sink', sink.chunks, ready.length);
      plain.push(ready.length / floor);
      ours.push(real.chunks / real.seconds);
      sinkChunks.push(sink.chunks / sink.seconds);
      sinkFiles.push(sink.files / sink.seconds);
      note(
        `run ${run + 1}: ${real.seconds.toFixed(1)} s, plain insert ${floor.toFixed(1)} s, sink ${sink.seconds.toFixed(1)} s`,
      );
      await client.collections.deleteAll();
    }
    return [
      {
        what: 'indexing ÷ plain insert',
        unit: '×',
        values: ours.map((rate, run) => rate / (plain[run] ?? Number.NaN)),
        bar: '≥ 0.8',
      },
      { what: 'indexing, chunks', unit: '/s', values: ours },
      { what: 'plain streaming insert, objects', unit: '/s', values: plain },
      { what: 'indexing into a sink, chunks', unit: '/s', values: sinkChunks },
      { what: 'indexing into a sink, files', unit: '/s', values: sinkFiles, bar: '≥ 500' },
    ];
  } finally {
    await client.close();
    await stack.stop();
  }
}

interface Indexing {
  readonly repositories: readonly RepositoryAddress[];
  readonly modelFolder: string;
  readonly dir: string;
  readonly signal: AbortSignal;
}

/** Indexes all repositories as a worker does, with caches that know nothing yet; opening the model is not counted. */
async function index(
  { repositories, modelFolder, dir, signal }: Indexing,
  name: string,
  openStore: (digest: string) => IndexStore,
): Promise<{ seconds: number; chunks: number; files: number }> {
  const cacheDir = await emptyCache(dir, name);
  const analyzer = await createAnalyzer({
    model: { kind: 'static', folder: modelFolder, cacheDir: modelCache() },
    cacheDir,
  });
  try {
    const store = openStore(analyzer.digest);
    await store.prepare();
    const mgit = createMgit({ providers: [], cacheDir, env: process.env, maxFileBytes: 1_000_000 });
    const { seconds, result } = await timed(() =>
      pLimit(LANES).map(repositories, async (repository) => {
        const delta = await mgit.diff(repository, null, { signal });
        const { to, full } = delta;
        const source: ChangeSource = {
          to,
          full,
          changes: () => delta.changes(),
          readOld: (oids) => delta.readOld(oids),
        };
        return ingest({ store, analyzer, counts: analyzer.counts }, repository, source, null, {
          signal,
          onProgress: () => undefined,
        });
      }),
    );
    return {
      seconds,
      chunks: result.reduce((sum, { objectsWritten }) => sum + objectsWritten, 0),
      files: result.reduce((sum, { filesChanged }) => sum + filesChanged, 0),
    };
  } finally {
    await analyzer.close();
  }
}

/** The store, which also remembers every object that it wrote. */
function collecting(store: IndexStore, into: IndexObject[]): IndexStore {
  return {
    ...store,
    write: async (objects) => {
      into.push(...objects);
      await store.write(objects);
    },
  };
}

/** Puts objects into a collection of the same schema by the client's streaming batch. Returns the seconds that it took. */
async function plainInsert(client: IndexClient, name: string, objects: readonly IndexObject[]): Promise<number> {
  const store = createIndexStore(client, name, 'plain');
  await store.prepare();
  const collection = store.names.chunks;
  const { seconds } = await timed(async () => {
    const batch = await client.batch.stream();
    for (const { id, properties, vector } of objects) {
      const bucket = Number.parseInt(id.slice(0, 2), 16);
      await batch.addObject({ collection, id, properties: { ...properties, bucket }, vectors: Array.from(vector) });
    }
    await batch.stop();
    const [error] = Object.values(batch.objErrors());
    if (error) throw new Error(`Weaviate refused an object of the plain insert: ${error.message}`);
  });
  const { totalCount } = await client.collections.use(collection).aggregate.overAll();
  mustEqual('objects of the plain insert', totalCount, objects.length);
  return seconds;
}
