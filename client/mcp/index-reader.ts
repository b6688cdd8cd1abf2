import { readIndexedFile } from '../../activities/index/indexed-file.ts';
import { createBuilds } from '../../activities/index/builds.ts';
import type { IndexStore } from '../../activities/index/store.ts';
import { connectWeaviate, isConnectionLoss, unavailable } from '../../activities/index/weaviate.ts';
import type { Receipt } from '../../domain/catalog/receipt.ts';
import type { CliContext } from '../cli/context.ts';
import { weaviateAddress } from '../cli/servers.ts';

/** What the index says of repositories and files, without a model. Nothing is made or changed in Weaviate. */
export interface IndexReader {
  /** All receipts, in order of repository ids; none when nothing was ever indexed. */
  receipts(): Promise<Receipt[]>;
  /** Null when there is no receipt of this repository. */
  receipt(repository: string): Promise<Receipt | null>;
  /** The text of a file as the chunks of a receipt have it; null when they are not the whole of it. */
  file(receipt: Receipt, path: string): Promise<string | null>;
  /** The paths of the files that have chunks, sorted. */
  paths(receipt: Receipt): Promise<string[]>;
  close(): Promise<void>;
}

/** Connects to the index of a context. Throws `ServerUnavailable`. */
export async function openIndexReader(context: CliContext): Promise<IndexReader> {
  const client = await connectWeaviate(await weaviateAddress(context));
  const builds = createBuilds(client, context.config.index.name);
  const liveStore = async (): Promise<IndexStore | null> => {
    const live = await builds.live();
    return live === null ? null : builds.store(live.digest);
  };
  return {
    receipts: async () => (await liveStore())?.receipts() ?? [],
    receipt: async (repository) => (await liveStore())?.readReceipt(repository) ?? null,
    file: ({ repository, digest }, path) =>
      named(() => readIndexedFile(client, builds.store(digest).names.chunks, { repository, path })),
    async paths({ repository, digest }) {
      const paths = new Set<string>();
      for await (const page of builds.store(digest).inventory(repository)) for (const { path } of page) paths.add(path);
      return [...paths].sort();
    },
    close: () => client.close(),
  };
}

/** Gives the loss of the connection its name. */
async function named<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw isConnectionLoss(error) ? unavailable(error) : error;
  }
}
