import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { WeaviateClient } from 'weaviate-client';
import { createAnalyzer } from '../activities/index/analysis/analyzer.ts';
import type { Analyzer } from '../activities/index/analysis/analyzer.ts';
import { ingest } from '../activities/index/ingest.ts';
import type { ChangeSource } from '../activities/index/ingest.ts';
import { createIndexStore } from '../activities/index/store/store.ts';
import type { IndexStore } from '../activities/index/store/store.ts';
import { connectWeaviate } from '../activities/index/store/weaviate.ts';
import { createMgit } from '../activities/mgit/index.ts';
import { startStack } from '../stack/stack.ts';
import type { BenchContext } from './harness.ts';
import type { Judged } from './judged.ts';
import { fetchJudged, readJudged } from './judged.ts';
import { modelCache } from './servers.ts';

/** The judged packages, indexed in a real Weaviate whose data is stored between runs. */
export interface JudgedIndex {
  readonly client: WeaviateClient;
  readonly judged: readonly Judged[];
  readonly modelFolder: string;
  /** Folder of the vector cache. */
  readonly cacheDir: string;
  /** Makes sure that an index contains every judged package `copies` times, each copy as a separate repository. */
  build(name: string, options?: { readonly kind?: 'static' | 'onnx'; readonly copies?: number }): Promise<BuiltIndex>;
  close(): Promise<void>;
}

/** One index of {@link JudgedIndex}. */
export interface BuiltIndex {
  readonly store: IndexStore;
  readonly analyzer: Analyzer;
  readonly chunks: number;
  /** False when all of it existed before. */
  readonly fresh: boolean;
}

const LARGEST_FILE = 1_000_000;

/** Starts a Weaviate on the data of earlier runs in the user's cache, which can be regenerated. */
export async function openJudgedIndex({ signal, note }: BenchContext): Promise<JudgedIndex> {
  const userCache = modelCache();
  const home = join(userCache, 'judged', 'index');
  const cacheDir = join(home, 'cache');
  await mkdir(cacheDir, { recursive: true });
  const judged = readJudged();
  const stack = await startStack({
    dataDir: join(home, 'data'),
    cacheDir: userCache,
    env: process.env,
    needs: ['weaviate', 'model'],
    signal,
    onProgress: ({ about, message, passing }) => {
      if (!passing) note(`${about}: ${message}`);
    },
  });
  const { folder: modelFolder } = stack.model;
  const client = await connectWeaviate(stack.weaviate);
  const mgit = createMgit({ providers: [], cacheDir, env: process.env, maxFileBytes: LARGEST_FILE });
  const analyzers: Analyzer[] = [];

  async function build(
    name: string,
    { kind = 'static', copies = 1 }: { kind?: 'static' | 'onnx'; copies?: number } = {},
  ): Promise<BuiltIndex> {
    const analyzer = await createAnalyzer({ model: { kind, folder: modelFolder, cacheDir: userCache }, cacheDir });
    analyzers.push(analyzer);
    const store = createIndexStore(client, name, analyzer.digest);
    await store.prepare();
    await dropOthers(name, store);
    let fresh = false;
    let chunks = 0;
    for (const one of judged) {
      const { root, repository, commit } = await fetchJudged(one, userCache, signal);
      for (let copy = 0; copy < copies; copy++) {
        const address = { id: repositoryOf(one, copy), cloneUrl: join(root, `${repository}.git`) };
        const known = await store.readReceipt(address.id);
        if (known?.commit === commit && known.digest === analyzer.digest && known.pending === null) {
          chunks += known.objects;
          continue;
        }
        fresh = true;
        note(`indexing ${address.id}`);
        const delta = await mgit.diff(address, null, { signal });
        const source: ChangeSource = {
          to: delta.to,
          full: delta.full,
          changes: () => delta.changes(),
          readOld: (oids) => delta.readOld(oids),
        };
        const tools = { store, analyzer, counts: analyzer.counts };
        const { receipt } = await ingest(tools, address, source, null, { signal, onProgress: () => undefined });
        chunks += receipt.objects;
      }
    }
    return { store, analyzer, chunks, fresh };
  }

  /** Another version of the analysis left unused collections. */
  async function dropOthers(name: string, { names }: IndexStore): Promise<void> {
    for (const { name: collection } of await client.collections.listAll()) {
      const isOurs = collection.startsWith(`${name}Chunk_`) || collection.startsWith(`${name}Receipt`);
      if (isOurs && !Object.values(names).includes(collection)) await client.collections.delete(collection);
    }
  }

  return {
    client,
    judged,
    modelFolder,
    cacheDir,
    build,
    close: async () => {
      for (const analyzer of analyzers) await analyzer.close();
      await client.close();
      await stack.stop();
    },
  };
}

/** Id of a judged package as a repository of the index. */
export function repositoryOf({ half, name }: Pick<Judged, 'half' | 'name'>, copy = 0): string {
  return `judged/${copy === 0 ? half : `${half}-${copy}`}/${name}`;
}
