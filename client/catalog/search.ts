import type { SearchAnswer } from '../../activities/index/search.ts';
import { type OpenBuild, openIndex, type SearchQuestion } from '../../activities/catalog/open-index.ts';
import { matchesPattern, parsePattern } from '../../domain/git/pattern.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { CliContext } from '../core/context.ts';
import { loadedConfig, modelFolder, weaviateAddress } from '../core/servers.ts';

/** A search session for several questions. Connections and models are opened once, on first use. */
export interface SearchSession {
  /**
   * Answers a question; `pattern` restricts it to the indexed repositories that match. Throws `InvalidInput` when
   * nothing is indexed, and for an empty query, a limit outside 1 to 100, a pattern without a matching indexed
   * repository, a language without indexed files, or a branch at which none of the repositories is indexed.
   */
  search(question: SearchQuestion): Promise<SearchAnswer>;
  /** Closes connections and ends threads. */
  close(): Promise<void>;
}

/**
 * Connects to the index of a context. Each question is answered from the build that is live at that time. Throws
 * `ServerUnavailable`.
 */
export async function openSearch(context: CliContext): Promise<SearchSession> {
  const places = { weaviate: await weaviateAddress(context), modelFolder: () => modelFolder(context) };
  const index = await openIndex(loadedConfig(context), places, context.env);
  const providers = context.config.providers.map(({ name }) => name);

  /** Without a matching repository an empty result would be misleading: throws instead. */
  async function checkPattern(pattern: string, { store }: OpenBuild): Promise<void> {
    const parsed = parsePattern(pattern, providers);
    if ((await store.receipts()).some(({ repository }) => matchesPattern(parsed, repository))) return;
    throw new LonghaulError(
      'InvalidInput',
      `No indexed repository matches ${pattern}: \`longhaul index list\` shows what is indexed.`,
    );
  }

  return {
    async search(question) {
      const started = performance.now();
      const build = await index.live();
      if (build === null) {
        throw new LonghaulError('InvalidInput', 'Nothing is indexed yet: run `longhaul index add --pattern …` first.');
      }
      const answer = await build.search(question);
      const { pattern } = question;
      if (answer.results.length === 0 && pattern !== undefined) await checkPattern(pattern, build);
      return { ...answer, tookMs: Math.round(performance.now() - started) };
    },
    close: () => index.close(),
  };
}
