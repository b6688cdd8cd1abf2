import { search, type SearchAnswer, type SearchQuery } from '../activities/index/search.ts';
import { createIndexStore } from '../activities/index/store.ts';
import { connectWeaviate } from '../activities/index/weaviate.ts';
import { openAnalyzer } from '../activities/tools.ts';
import { matchesPattern, parsePattern } from '../domain/catalog/pattern.ts';
import type { CliContext } from './cli/context.ts';
import { modelFolder, weaviateAddress } from './cli/servers.ts';

/** A search that stays open for more than one question. */
export interface SearchSession {
  /** Answers a question; `pattern` restricts it to the indexed repositories that match. */
  search(question: Omit<SearchQuery, 'repositories'> & { readonly pattern?: string }): Promise<SearchAnswer>;
  close(): Promise<void>;
}

/** Connects to the index of a context. Throws `ServerUnavailable`. */
export async function openSearch(context: CliContext): Promise<SearchSession> {
  const { config } = context;
  const address = await weaviateAddress(context);
  const client = await connectWeaviate(address);
  const analyzer = await openAnalyzer(
    context,
    { weaviate: address, modelFolder: () => modelFolder(context) },
    context.env,
  );
  const store = createIndexStore(client, config.index.name, analyzer.digest);
  const providers = config.providers.map(({ name }) => name);
  return {
    async search({ pattern, ...question }) {
      if (pattern === undefined) return search(client, { store, analyzer }, question);
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
