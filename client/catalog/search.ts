import type { SearchAnswer } from '../../activities/index/search.ts';
import { type OpenBuild, openIndex, type SearchQuestion } from '../../activities/catalog/open-index.ts';
import { matchesPattern, parsePattern } from '../../domain/git/pattern.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { CliContext } from '../core/context.ts';
import { loadedConfig, modelFolder, weaviateAddress } from '../core/servers.ts';

/** A search that stays open for more than one question: connections and models are opened once, by the first that needs them. */
export interface SearchSession {
  /**
   * Answers a question; `pattern` restricts it to the indexed repositories that match. Throws `InvalidInput` when nothing is
   * indexed, for an empty query, a limit outside 1 to 100, a pattern that no indexed repository matches, a language that nothing in the index is
   * written in, or a branch that none of the repositories is indexed at.
   */
  search(question: SearchQuestion): Promise<SearchAnswer>;
  /** Closes connections and ends threads. */
  close(): Promise<void>;
}

/** Connects to the index of a context. Each question goes to the build that is live when it is asked. Throws `ServerUnavailable`. */
export async function openSearch(context: CliContext): Promise<SearchSession> {
  const places = { weaviate: await weaviateAddress(context), modelFolder: () => modelFolder(context) };
  const index = await openIndex(loadedConfig(context), places, context.env);
  const providers = context.config.providers.map(({ name }) => name);

  /** No result says nothing about the code when there is none to look in. */
  async function checkPattern(pattern: string, { store }: OpenBuild): Promise<void> {
    const parsed = parsePattern(pattern, providers);
    if ((await store.receipts()).some(({ repository }) => matchesPattern(parsed, repository))) return;
    throw new LonghaulError(
      'InvalidInput',
      `No indexed repository matches ${pattern}: \`longhaul index list\` shows what there is.`,
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
