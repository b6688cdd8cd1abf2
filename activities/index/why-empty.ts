import type { Collection, FilterValue } from 'weaviate-client';
import type { PathFilter } from '../../domain/git/path-filter.ts';
import { allOf, bestOfPaths } from './path-candidates.ts';
import type { ChunkProperties } from './store/schema.ts';

/** What was searched without a result. */
export interface EmptySearch {
  /** The repositories and the branch; null for everything. */
  readonly within: FilterValue | null;
  /** As spelled in the index. */
  readonly language: string | undefined;
  /** As the caller wrote it. */
  readonly path: string | undefined;
  readonly pathFilter: PathFilter | null;
  /** The number of results without the filters of path and language. */
  readonly resultsWithoutFilters: () => Promise<number>;
}

/** Why a search has no results, in one or two sentences. */
export async function whyEmpty(
  chunks: Collection<ChunkProperties>,
  { within, language, path, pathFilter, resultsWithoutFilters }: EmptySearch,
): Promise<string> {
  const isThere = async (filter: PathFilter | null, condition: FilterValue | null): Promise<boolean> => {
    const [found = []] = await bestOfPaths(chunks, filter, allOf([within, condition]), [
      {
        limit: 1,
        ask: async (filters, limit) =>
          (
            await chunks.query.fetchObjects({
              limit,
              returnProperties: ['path'],
              ...(filters === null ? {} : { filters }),
            })
          ).objects,
      },
    ]);
    return found.length > 0;
  };
  if (!(await isThere(null, null)))
    return 'Nothing is indexed in these repositories: they have no text files, or are being indexed.';
  const ofLanguage = language === undefined ? null : chunks.filter.byProperty('language').equal(language);
  const named = JSON.stringify(path);
  const [hasPath, hasLanguage] = await Promise.all([isThere(pathFilter, null), isThere(null, ofLanguage)]);
  const why = !hasPath
    ? `No indexed path matches ${named}.`
    : !hasLanguage
      ? `Nothing in these repositories is written in ${language}.`
      : (await isThere(pathFilter, ofLanguage))
        ? null
        : `Nothing that matches ${named} is written in ${language}.`;
  if (why === null) return 'Nothing contains a word of the query.';
  const others = await resultsWithoutFilters();
  return others === 0
    ? why
    : `${why} Without the filters there are ${others === 1 ? '1 result' : `${others} results`}.`;
}
