import { readIndexedFile } from '../../activities/index/indexed-file.ts';
import { createIndexStore } from '../../activities/index/store.ts';
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
  // receipts are in one collection, whatever digest they are of
  const storeOf = (digest: string) => createIndexStore(client, context.config.index.name, digest);
  const receiptStore = storeOf('');
  const isThere = (): Promise<boolean> => named(() => client.collections.exists(receiptStore.names.receipts));
  return {
    receipts: async () => ((await isThere()) ? receiptStore.receipts() : []),
    receipt: async (repository) => ((await isThere()) ? receiptStore.readReceipt(repository) : null),
    file: ({ repository, digest }, path) =>
      named(() => readIndexedFile(client, storeOf(digest).names.chunks, { repository, path })),
    async paths({ repository, digest }) {
      const paths = new Set<string>();
      for await (const page of storeOf(digest).inventory(repository)) for (const { path } of page) paths.add(path);
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
