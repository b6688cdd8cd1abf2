import { readIndexedFile } from '../../activities/index/analysis/indexed-file.ts';
import { createBuilds } from '../../activities/index/store/builds.ts';
import { filterOf, type IndexedRef } from '../../activities/index/store/refs.ts';
import type { IndexStore } from '../../activities/index/store/store.ts';
import { connectWeaviate, failureOfWeaviate } from '../../activities/index/store/weaviate.ts';
import { inRefOrder, refOfBranch } from '../../domain/git/branch.ts';
import { headReceipts, refsOfRepository } from '../../domain/catalog/index/refs.ts';
import type { Receipt } from '../../domain/catalog/index/receipt.ts';
import type { CliContext } from '../core/context.ts';
import { weaviateAddress } from '../core/servers.ts';

/** Reads repositories and files from the index, without a model. Never changes anything in Weaviate. */
export interface IndexReader {
  /** The receipts of all HEADs, ordered by repository id; empty for a new index. */
  receipts(): Promise<Receipt[]>;
  /** Null when there is no receipt of this repository, at HEAD or at a branch. */
  receipt(repository: string, branch?: string): Promise<Receipt | null>;
  /** The text of a file, assembled from the chunks of a receipt; null when they do not cover the whole file. */
  file(receipt: Receipt, path: string): Promise<string | null>;
  /** The paths of the files that have chunks, sorted. */
  paths(receipt: Receipt): Promise<string[]>;
  /** Closes connections. */
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
    receipts: async () => headReceipts((await (await liveStore())?.receipts()) ?? []),
    async receipt(repository, branch) {
      const store = await liveStore();
      const head = (await store?.readReceipt(repository)) ?? null;
      return branch === undefined || head?.branch === branch
        ? head
        : ((await store?.readReceipt(repository, refOfBranch(branch))) ?? null);
    },
    file: (receipt, path) =>
      named(() => {
        const { repository, digest } = receipt;
        const { chunks } = builds.store(digest).names;
        return readIndexedFile(client, chunks, { repository, path, of: refOf(receipt) });
      }),
    async paths(receipt) {
      const paths = new Set<string>();
      const { repository, digest } = receipt;
      for await (const page of builds.store(digest).inventory(repository, filterOf(refOf(receipt))))
        for (const { path } of page) paths.add(path);
      return [...paths].sort();
    },
    close: () => client.close(),
  };
}

/** The ref of a receipt. A repository with a branch's receipt also has HEAD. */
function refOf(receipt: Receipt): IndexedRef {
  return { ref: receipt.ref, refs: inRefOrder([...refsOfRepository(receipt), receipt.ref]) };
}

/** Converts a lost connection or a refused key to a named failure. */
async function named<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw failureOfWeaviate(error);
  }
}
