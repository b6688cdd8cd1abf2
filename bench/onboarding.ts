import { join } from 'node:path';
import pLimit from 'p-limit';
import { type Analyzer, createAnalyzer } from '../activities/index/analysis/analyzer.ts';
import { ingest } from '../activities/index/ingest.ts';
import type { ChangeSource } from '../activities/index/ingest.ts';
import { createIndexStore } from '../activities/index/store/store.ts';
import type { IndexStore } from '../activities/index/store/store.ts';
import type { IndexObject } from '../activities/index/store/write-batch.ts';
import { connectWeaviate, type IndexClient } from '../activities/index/store/weaviate.ts';
import { createMgit } from '../activities/mgit/index.ts';
import type { RepositoryAddress } from '../domain/git/repository.ts';
import { makeCorpus } from './corpus.ts';
import { mustEqual, timed } from './harness.ts';
import type { BenchContext, Benchmark, Figure } from './harness.ts';
import { cpuSeconds, pidOf } from './process-usage.ts';
import { emptyCache, forgetEmbeddings, modelCache, startServers } from './servers.ts';
import { createSink } from './sink.ts';

/** Repositories that a worker indexes in parallel. */
const LANES = 8;

/**
 * First indexing of real code, from bare repositories to the last receipt, with no mirror and no cached embedding.
 * Compared with the fastest way to put the same prepared objects, with vectors, into the same Weaviate: the client's
 * streaming batch. Then the same into a sink, which measures the rest without Weaviate. It runs the activity's work
 * without the flow, in a process that has indexed before, like a long-lived worker.
 */
export const onboarding: Benchmark = {
  about: 'first indexing of real code, chunks/s ÷ streaming batch insert of the same prepared objects',
  measure,
};

async function measure(context: BenchContext): Promise<Figure[]> {
  const { runs, dir, signal, note } = context;
  const repositories = await makeCorpus(join(dir, 'repositories'), signal);
  const stack = await startServers(context, ['weaviate', 'model']);
  const client = await connectWeaviate({ ...stack.weaviate, apiKey: stack.weaviate.apiKey ?? undefined });
  const cacheDir = await emptyCache(dir, 'cache');
  const model = { kind: 'static', folder: stack.model.folder, cacheDir: modelCache() } as const;
  const analyzer = await createAnalyzer({ model, cacheDir });
  const indexing: Indexing = { repositories, analyzer, cacheDir, signal };
  const weaviate = pidOf(stack, 'weaviate');
  try {
    note('warm-up, which collects the prepared objects');
    const ready: IndexObject[] = [];
    const first = await index(indexing, collecting(createIndexStore(client, 'WarmUp', analyzer.digest), ready));
    note(`${first.files} files, ${ready.length} chunks`);

    const plain: Measured[] = [];
    const ours: Measured[] = [];
    const sinks: Measured[] = [];
    for (let run = 0; run < runs; run++) {
      const floor = await plainInsert(client, `Plain${run}`, ready, weaviate);
      const real = await index(indexing, createIndexStore(client, `Run${run}`, analyzer.digest), weaviate);
      mustEqual('chunks that were indexed', real.chunks, ready.length);
      plain.push(floor);
      ours.push(real);
      note(`run ${run + 1}: ${real.seconds.toFixed(1)} s, plain insert ${floor.seconds.toFixed(1)} s`);
      await client.collections.deleteAll();
    }
    // Weaviate's background work after writes would be counted with the sink
    await client.close();
    await stack.stop();
    for (let run = 0; run < runs; run++) {
      const sink = await index(indexing, createSink(analyzer.digest));
      mustEqual('chunks that were indexed', sink.chunks, ready.length);
      sinks.push(sink);
      note(`run ${run + 1}: sink ${sink.seconds.toFixed(1)} s`);
    }
    const milliseconds = ({ cpu, chunks }: Measured): number => (1_000 * cpu) / chunks;
    return [
      {
        what: 'indexing ÷ plain insert',
        unit: '×',
        values: ours.map(({ seconds }, run) => (plain[run]?.seconds ?? Number.NaN) / seconds),
        bar: '≥ 0.7',
      },
      { what: 'indexing, chunks', unit: '/s', values: ours.map(({ chunks, seconds }) => chunks / seconds) },
      { what: 'plain streaming insert, objects', unit: '/s', values: plain.map((run) => run.chunks / run.seconds) },
      { what: 'indexing, processor time per chunk, with Weaviate', unit: 'ms', values: ours.map(milliseconds) },
      { what: 'plain streaming insert, the same', unit: 'ms', values: plain.map(milliseconds) },
      { what: 'into a sink, files', unit: '/s', values: sinks.map((run) => run.files / run.seconds), bar: '≥ 500' },
      { what: 'into a sink, chunks', unit: '/s', values: sinks.map((run) => run.chunks / run.seconds) },
      { what: 'into a sink, processor time per chunk', unit: 'ms', values: sinks.map(milliseconds) },
    ];
  } finally {
    await analyzer.close();
    await client.close();
    await stack.stop();
  }
}

interface Indexing {
  readonly repositories: readonly RepositoryAddress[];
  readonly analyzer: Analyzer;
  /** Cache folder of the analyzer and of mgit. */
  readonly cacheDir: string;
  readonly signal: AbortSignal;
}

interface Measured {
  readonly seconds: number;
  /** Processor seconds of this process, and of Weaviate if it is used. */
  readonly cpu: number;
  readonly chunks: number;
  readonly files: number;
}

/** Indexes all repositories as a worker does, with empty caches. */
async function index(
  { repositories, analyzer, cacheDir, signal }: Indexing,
  store: IndexStore,
  weaviate?: number,
): Promise<Measured> {
  forgetEmbeddings(cacheDir);
  await store.prepare();
  const mgit = createMgit({ providers: [], cacheDir, env: process.env, maxFileBytes: 1_000_000 });
  const { seconds, cpu, result } = await usage(weaviate, () =>
    pLimit(LANES).map(repositories, async (repository) => {
      const delta = await mgit.diff(repository, null, { signal });
      const { to, full } = delta;
      const source: ChangeSource = {
        to,
        full,
        changes: () => delta.changes(),
        readOld: (files) => delta.readOld(files),
      };
      return ingest({ store, analyzer, counts: analyzer.counts }, repository, source, null, {
        signal,
        onProgress: () => undefined,
      });
    }),
  );
  mustEqual('chunks whose embedding was not cached', result.reduce((sum, { embedded }) => sum + embedded, 0) > 0, true);
  return {
    seconds,
    cpu,
    chunks: result.reduce((sum, { objectsWritten }) => sum + objectsWritten, 0),
    files: result.reduce((sum, { filesChanged }) => sum + filesChanged, 0),
  };
}

async function usage<Result>(
  weaviate: number | undefined,
  work: () => Promise<Result>,
): Promise<{ seconds: number; cpu: number; result: Result }> {
  const used = (): number => cpuSeconds(process.pid) + (weaviate === undefined ? 0 : cpuSeconds(weaviate));
  const before = used();
  const { seconds, result } = await timed(work);
  return { seconds, cpu: used() - before, result };
}

/** A store that also records every object that it wrote. */
function collecting(store: IndexStore, into: IndexObject[]): IndexStore {
  return {
    ...store,
    write: async (objects, signal) => {
      into.push(...objects);
      await store.write(objects, signal);
    },
  };
}

/** Writes objects into a collection of the same schema with the client's streaming batch. */
async function plainInsert(
  client: IndexClient,
  name: string,
  objects: readonly IndexObject[],
  weaviate: number,
): Promise<Measured> {
  const store = createIndexStore(client, name, 'plain');
  await store.prepare();
  const collection = store.names.chunks;
  const { seconds, cpu } = await usage(weaviate, async () => {
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
  return { seconds, cpu, chunks: objects.length, files: 0 };
}
