import { join } from 'node:path';
import { createAnalyzer } from './index/analyzer.js';
import { createIndexStore } from './index/store.js';
import { connectWeaviate } from './index/weaviate.js';
import { createMgit } from './mgit/index.js';
import { createPlanner } from './planner.js';
import { createStreamSpool } from './index/stream-spool.js';
/** mgit as the configuration describes it: needs no server. */
export function openMgit({ config, cacheDir }, env) {
    return createMgit({ providers: config.providers, cacheDir, env, maxFileBytes: config.index.maxFileBytes });
}
/** Everything that the catalog's activities work with, connected and checked. */
export async function openTools(loaded, places, env) {
    const { config, cacheDir } = loaded;
    const client = await connectWeaviate(places.weaviate);
    const analyzer = await createAnalyzer({
        model: { kind: config.index.model, folder: places.modelFolder, cacheDir },
        cacheDir,
    });
    const store = createIndexStore(client, config.index.name, analyzer.digest);
    await store.prepare();
    const mgit = openMgit(loaded, env);
    const providers = config.providers.map(({ name }) => name);
    return {
        mgit,
        planner: createPlanner({ mgit, store, digest: analyzer.digest, providers }),
        store,
        analyzer,
        counts: analyzer.counts,
        spool: createStreamSpool(join(loaded.dataDir, 'blobs'), config.index.maxFileBytes),
        close: async () => {
            await analyzer.close();
            await client.close();
        },
    };
}
//# sourceMappingURL=tools.js.map