import type { SearchQuestion } from '../activities/catalog.ts';
import type { SearchAnswer } from '../activities/index/search.ts';
import { openTools } from '../activities/tools.ts';
import type { CliContext } from './cli/context.ts';
import { loadedConfig, modelFolder, weaviateAddress } from './cli/servers.ts';

/** A search that stays open for more than one question. */
export interface SearchSession {
  /** Answers a question; `pattern` restricts it to the indexed repositories that match. */
  search(question: SearchQuestion): Promise<SearchAnswer>;
  close(): Promise<void>;
}

/** Connects to the index of a context. Each question goes to the build that is live when it is asked. Throws `ServerUnavailable`. */
export async function openSearch(context: CliContext): Promise<SearchSession> {
  const places = { weaviate: await weaviateAddress(context), modelFolder: () => modelFolder(context) };
  const tools = await openTools(loadedConfig(context), places, context.env);
  return {
    async search(question) {
      const index = await tools.live();
      return index === null ? { query: question.query, tookMs: 0, results: [] } : index.search(question);
    },
    close: () => tools.close(),
  };
}
