import picomatch from 'picomatch';
import { type Collection, type FilterValue, Filters, type WeaviateClient } from 'weaviate-client';
import { queryStems } from '../../domain/catalog/identifiers.ts';
import { LonghaulError } from '../../domain/failures.ts';
import type { Analyzer } from './analyzer.ts';
import type { ChunkProperties } from './schema.ts';
import type { IndexStore } from './store.ts';

/** A question to the index. */
export interface SearchQuery {
  readonly query: string;
  /** Ids of the repositories to look in; all when left out. */
  readonly repositories?: readonly string[];
  /** Language as linguist names it, such as `TypeScript`. */
  readonly language?: string;
  /** Glob over the path inside the repository, such as `src/**`. */
  readonly path?: string;
  /** Results at most. @default 10 */
  readonly limit?: number;
}

/** One piece of code that answers. */
export interface SearchResult {
  /** Repository id. */
  readonly repo: string;
  readonly path: string;
  /** 1-based, inclusive. */
  readonly startLine: number;
  readonly endLine: number;
  readonly language: string;
  /** Definitions in this piece. */
  readonly symbols: readonly string[];
  /** Weaviate's fused score, 0 to 1. Comparable within one answer only. */
  readonly score: number;
  /** The code, from `startLine` to `endLine`. */
  readonly snippet: string;
  /** Commit that the repository's receipt vouches for. */
  readonly commit: string;
}

/** What a search answers. */
export interface SearchAnswer {
  readonly query: string;
  readonly tookMs: number;
  readonly results: readonly SearchResult[];
}

/** Part of the vector side in the fused score: below, words decide; above, meaning. */
const ALPHA = 0.3;
/** A glob is checked after the query, so that many more candidates are asked for. */
const CANDIDATES_WITH_GLOB = 200;

/** Searches by words (BM25 over split and stemmed identifiers, path and definitions) and by meaning (vector), fused. */
export async function search(
  client: WeaviateClient,
  { store, analyzer }: { readonly store: IndexStore; readonly analyzer: Analyzer },
  question: SearchQuery,
): Promise<SearchAnswer> {
  const started = performance.now();
  const { query, limit = 10, path } = question;
  if (query.trim() === '') throw new LonghaulError('InvalidInput', 'The query is empty: give some words.');
  const answer = (results: readonly SearchResult[]): SearchAnswer => ({
    query,
    tookMs: Math.round(performance.now() - started),
    results,
  });
  if (question.repositories?.length === 0) return answer([]);
  const chunks = client.collections.use<string, ChunkProperties>(store.names.chunks);
  const filters = filtersOf(chunks.filter, question);
  const vector = await analyzer.embedQuery(query);
  const found = await chunks.query.hybrid(queryStems(query).join(' '), {
    vector: Array.from(vector),
    alpha: ALPHA,
    queryProperties: [
      { name: 'stems', weight: 2 },
      { name: 'pathStems', weight: 4 },
      { name: 'scopeStems', weight: 1 },
    ],
    limit: path === undefined ? limit : CANDIDATES_WITH_GLOB,
    returnMetadata: ['score'],
    returnProperties: ['repo', 'path', 'startLine', 'endLine', 'language', 'symbols', 'text'],
    ...(filters === null ? {} : { filters }),
  });
  const matches = path === undefined ? () => true : picomatch(path, { dot: true });
  const objects = found.objects.filter(({ properties }) => matches(properties.path)).slice(0, limit);
  const commits = await commitsOf(store, new Set(objects.map(({ properties }) => properties.repo)));
  return answer(
    objects.map(({ properties, metadata }) => ({
      repo: properties.repo,
      path: properties.path,
      startLine: properties.startLine,
      endLine: properties.endLine,
      language: properties.language,
      symbols: properties.symbols,
      score: Number((metadata?.score ?? 0).toFixed(4)),
      snippet: properties.text,
      commit: commits.get(properties.repo) ?? '',
    })),
  );
}

function filtersOf(
  filter: Collection<ChunkProperties>['filter'],
  { repositories, language, path }: SearchQuery,
): FilterValue | null {
  const filters: FilterValue[] = [];
  if (repositories !== undefined) filters.push(filter.byProperty('repo').containsAny([...repositories]));
  if (language !== undefined) filters.push(filter.byProperty('language').equal(language));
  if (path !== undefined) {
    const fixed = picomatch.scan(path).base;
    if (fixed !== '') filters.push(filter.byProperty('path').like(`${fixed.replaceAll(/[*?]/g, '?')}*`));
  }
  const [first] = filters;
  if (first === undefined) return null;
  return filters.length === 1 ? first : Filters.and(...filters);
}

async function commitsOf(store: IndexStore, repositories: ReadonlySet<string>): Promise<Map<string, string>> {
  const receipts = await Promise.all([...repositories].map((repository) => store.readReceipt(repository)));
  return new Map(receipts.flatMap((receipt) => (receipt ? [[receipt.repository, receipt.commit]] : [])));
}
