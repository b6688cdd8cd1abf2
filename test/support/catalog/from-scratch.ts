import pLimit from 'p-limit';
import { inject } from 'vitest';
import { createCatalogActivities } from '../../../activities/catalog/catalog.ts';
import type { IndexStore } from '../../../activities/index/store/store.ts';
import { connectWeaviate } from '../../../activities/index/store/weaviate.ts';
import { createEstate } from '../estate.ts';
import { openEstate } from './flows.ts';
import { dumpIndex, type IndexDump } from './index-dump.ts';
import { mockActivity } from '../mock-activity.ts';

/** The content of an index in the shared Weaviate. */
export async function dumpOf(store: IndexStore): Promise<IndexDump> {
  const client = await connectWeaviate(inject('stack').weaviate);
  try {
    return await dumpIndex(client, store);
  } finally {
    await client.close();
  }
}

/** The content of a new index of these repositories at their current HEADs. */
export async function dumpFromScratch(providers: object[], repositories: readonly string[]): Promise<IndexDump> {
  const estate = await createEstate({ providers: () => Promise.resolve(providers) });
  const tools = await openEstate(estate);
  try {
    const { indexRepository } = createCatalogActivities(tools);
    await pLimit(4).map(repositories, (repository) => mockActivity().run(indexRepository, { repository }));
    return await dumpOf(tools.store);
  } finally {
    await tools.close();
    await estate.dispose();
  }
}
