import { type Builds, createBuilds } from '../../activities/index/store/builds.ts';
import { connectWeaviate } from '../../activities/index/store/weaviate.ts';
import type { Build } from '../../domain/catalog/index/build.ts';
import type { Receipt } from '../../domain/catalog/index/receipt.ts';
import { headReceipts } from '../../domain/catalog/index/refs.ts';
import type { CliContext } from '../core/context.ts';
import { weaviateAddress } from '../core/servers.ts';

/** Connects to the builds of the index while `use` runs. Opens no model. Throws `ServerUnavailable`. */
export async function withBuilds<Result>(
  context: CliContext,
  use: (builds: Builds) => Promise<Result>,
): Promise<Result> {
  const client = await connectWeaviate(await weaviateAddress(context));
  try {
    return await use(createBuilds(client, context.config.index.name));
  } finally {
    await client.close();
  }
}

/** The receipts of all refs in the live build. */
export async function readReceipts(context: CliContext): Promise<Receipt[]> {
  return withBuilds(context, async (builds) => {
    const live = await builds.live();
    return live === null ? [] : builds.store(live.digest).receipts();
  });
}

/** A build and its size. */
export interface BuildSize extends Build {
  readonly repositories: number;
  readonly objects: number;
}

/** All builds of the index, the live one first. */
export async function readBuilds(context: CliContext): Promise<BuildSize[]> {
  return withBuilds(context, async (builds) => {
    const sizes: BuildSize[] = [];
    for (const build of await builds.list()) {
      const store = builds.store(build.digest);
      const [receipts, objects] = await Promise.all([store.receipts(), store.count()]);
      sizes.push({ ...build, repositories: headReceipts(receipts).length, objects });
    }
    return sizes;
  });
}
