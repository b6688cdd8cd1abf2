import { createAnalyzer } from '../activities/index/analyzer.js';
import { search } from '../activities/index/search.js';
import { createIndexStore } from '../activities/index/store.js';
import { connectWeaviate } from '../activities/index/weaviate.js';
import { matchesPattern, parsePattern } from '../domain/catalog/pattern.js';
import { modelFolder, weaviateAddress } from './cli/servers.js';
/** Connects to the index of a context. Throws `ServerUnavailable`. */
export async function openSearch(context) {
    const { config, cacheDir } = context;
    const [address, folder] = await Promise.all([weaviateAddress(context), modelFolder(context)]);
    const client = await connectWeaviate(address);
    const analyzer = await createAnalyzer({ model: { kind: config.index.model, folder, cacheDir }, cacheDir });
    const store = createIndexStore(client, config.index.name, analyzer.digest);
    const providers = config.providers.map(({ name }) => name);
    return {
        async search({ pattern, ...question }) {
            if (pattern === undefined)
                return search(client, { store, analyzer }, question);
            const parsed = parsePattern(pattern, providers);
            const repositories = (await store.receipts())
                .map(({ repository }) => repository)
                .filter((id) => matchesPattern(parsed, id));
            return search(client, { store, analyzer }, { ...question, repositories });
        },
        close: async () => {
            await analyzer.close();
            await client.close();
        },
    };
}
//# sourceMappingURL=search.js.map