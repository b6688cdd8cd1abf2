import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { WeaviateClient } from 'weaviate-client';
import { createAnalyzer } from '../activities/index/analysis/analyzer.ts';
import type { Analyzer } from '../activities/index/analysis/analyzer.ts';
import { ingest } from '../activities/index/ingest.ts';
import type { ChangeSource } from '../activities/index/ingest.ts';
import { createBuilds } from '../activities/index/store/builds.ts';
import { indexDigest } from '../activities/index/store/schema.ts';
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
  /** Folder of the running stack, for commands. */
  readonly dataDir: string;
  /** Makes sure that an index, a live build, contains every judged package `copies` times, each copy as a separate repository. */
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
  const dataDir = join(home, 'data');
  await mkdir(cacheDir, { recursive: true });
  const judged = readJudged();
  const stack = await startStack({
    dataDir,
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
    const opened = await createAnalyzer({ model: { kind, folder: modelFolder, cacheDir: userCache }, cacheDir });
    const analyzer = { ...opened, digest: indexDigest(opened.digest, LARGEST_FILE) };
    analyzers.push(analyzer);
    const store = await liveBuild(name, analyzer, kind);
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
          readOld: (files) => delta.readOld(files),
        };
        const tools = { store, analyzer, counts: analyzer.counts };
        const { receipt } = await ingest(tools, address, source, null, { signal, onProgress: () => undefined });
        chunks += receipt.objects;
      }
    }
    return { store, analyzer, chunks, fresh };
  }

  /** The build of an index, live and alone: another version of the analysis left unused ones. */
  async function liveBuild(
    name: string,
    { digest, modelDigest }: Analyzer,
    type: 'static' | 'onnx',
  ): Promise<IndexStore> {
    const builds = createBuilds(client, name);
    await builds.create(digest, { model: { type }, modelDigest, maxFileBytes: LARGEST_FILE });
    await builds.switchTo(digest);
    const others = [...(await builds.list()).map((one) => one.digest), ...(await builds.leftovers())];
    for (const other of others) if (other !== digest) await builds.drop(other);
    return builds.store(digest);
  }

  return {
    client,
    judged,
    modelFolder,
    cacheDir,
    dataDir,
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
