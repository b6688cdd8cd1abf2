import type { SearchAnswer } from '../../activities/index/search.ts';
import type { OpenBuild, OpenIndex, SearchQuestion } from '../../activities/catalog/open-index.ts';
import { createRescorer } from '../../activities/index/models/rescorer.ts';
import { matchesPattern, parsePattern } from '../../domain/git/pattern.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { CliContext } from '../core/context.ts';
import { createReused } from '../../activities/shared/reused.ts';
import { hasModel, loadedConfig, modelFolder, weaviateAddress } from '../core/servers.ts';

/** How long a session reuses which build is live, in milliseconds: a switch is noticed no later. */
const LIVE_COUNTS_MS = 1_000;

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

/** Options of {@link openSearch}. */
export interface SearchSessionOptions {
  /**
   * True to open the transformer while connecting, for a process that asks one question with re-scoring. @default when
   * a question needs it
   */
  readonly prepareRescoring?: boolean;
}

/**
 * Connects to the index of a context. Each question is answered from the build that is live, or was within the last
 * second. Throws `ServerUnavailable`.
 */
export async function openSearch(
  context: CliContext,
  { prepareRescoring = false }: SearchSessionOptions = {},
): Promise<SearchSession> {
  const index = await openIndexOf(context, prepareRescoring);
  const providers = context.config.providers.map(({ name }) => name);
  const live = createReused(() => index.live(), LIVE_COUNTS_MS);

  /** Without a matching repository an empty result would be misleading: throws instead. */
  async function checkPattern(pattern: string, { store }: OpenBuild): Promise<void> {
    const parsed = parsePattern(pattern, providers);
    if ((await store.receipts()).some(({ repository }) => matchesPattern(parsed, repository))) return;
    throw new LonghaulError(
      'InvalidInput',
      `No indexed repository matches ${pattern}: \`longhaul index list\` shows what is indexed.`,
    );
  }

  async function liveBuild(): Promise<OpenBuild> {
    const build = await live.get();
    if (build !== null) return build;
    live.forget();
    throw new LonghaulError('InvalidInput', 'Nothing is indexed yet: run `longhaul index add --pattern …` first.');
  }

  /** The answer of the live build. A build that failed because it is no longer the live one is not asked again. */
  async function answerOf(question: SearchQuestion): Promise<{ build: OpenBuild; answer: SearchAnswer }> {
    const build = await liveBuild();
    try {
      return { build, answer: await build.search(question) };
    } catch (error) {
      live.forget();
      const now = await liveBuild();
      if (now.digest === build.digest) throw error;
      return { build: now, answer: await now.search(question) };
    }
  }

  return {
    async search(question) {
      const started = performance.now();
      const { build, answer } = await answerOf(question);
      const { pattern } = question;
      if (answer.results.length === 0 && pattern !== undefined) await checkPattern(pattern, build);
      return { ...answer, tookMs: Math.round(performance.now() - started) };
    },
    close: () => index.close(),
  };
}

async function openIndexOf(context: CliContext, prepareRescoring: boolean): Promise<OpenIndex> {
  const weaviate = await weaviateAddress(context);
  const folder = (): Promise<string> => modelFolder(context);
  const rescorer = createRescorer(folder, context.cacheDir);
  try {
    // other models are not re-scored
    if (prepareRescoring && context.config.index.model === 'static' && (await hasModel(context))) {
      await rescorer.prepare();
    }
    // its hundreds of modules are loaded while the thread opens the transformer
    const { openIndex } = await import('../../activities/catalog/open-index.ts');
    return await openIndex(loadedConfig(context), { weaviate, modelFolder: folder }, context.env, { rescorer });
  } catch (error) {
    await rescorer.close();
    throw error;
  }
}
