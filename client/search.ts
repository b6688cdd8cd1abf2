import { createRescorer } from '../activities/index/rescorer.ts';
import { search, type SearchAnswer, type SearchQuery } from '../activities/index/search.ts';
import { createIndexStore } from '../activities/index/store.ts';
import { connectWeaviate } from '../activities/index/weaviate.ts';
import { openAnalyzer } from '../activities/tools.ts';
import { matchesPattern, parsePattern } from '../domain/catalog/pattern.ts';
import { LonghaulError } from '../domain/failures.ts';
import type { CliContext } from './cli/context.ts';
import { modelFolder, weaviateAddress } from './cli/servers.ts';

/** A question, and where to look for the answer. */
export interface SearchQuestion extends Omit<SearchQuery, 'repositories'> {
  /** An mgit pattern: only indexed repositories that match. */
  readonly pattern?: string;
}

/** A search that stays open for more than one question: connections and models are opened once. */
export interface SearchSession {
  /**
   * Answers a question. Throws `InvalidInput` for an empty query, a pattern that no indexed repository matches, or a language
   * that nothing in the index is written in.
   */
  search(question: SearchQuestion): Promise<SearchAnswer>;
  close(): Promise<void>;
}

/** Connects to the index of a context. Throws `ServerUnavailable`. */
export async function openSearch(context: CliContext): Promise<SearchSession> {
  const { config, cacheDir } = context;
  const [address, folder] = await Promise.all([weaviateAddress(context), modelFolder(context)]);
  const client = await connectWeaviate(address);
  const analyzer = await openAnalyzer(context, folder);
  const store = createIndexStore(client, config.index.name, analyzer.digest);
  const rescorer = createRescorer(folder, cacheDir);
  const tools = { store, analyzer, rescorer };
  const providers = config.providers.map(({ name }) => name);

  async function matching(pattern: string): Promise<string[]> {
    const parsed = parsePattern(pattern, providers);
    const indexed = (await store.receipts()).map(({ repository }) => repository);
    const matched = indexed.filter((id) => matchesPattern(parsed, id));
    if (matched.length > 0) return matched;
    throw new LonghaulError(
      'InvalidInput',
      `None of the ${indexed.length} indexed repositories matches ${pattern}: \`longhaul index list\` shows them.`,
    );
  }

  return {
    async search({ pattern, ...question }) {
      const repositories = pattern === undefined ? {} : { repositories: await matching(pattern) };
      return search(client, tools, { ...question, ...repositories });
    },
    close: async () => {
      await rescorer.close();
      await analyzer.close();
      await client.close();
    },
  };
}
