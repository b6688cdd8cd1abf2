import type { Collection, FilterValue, WeaviateClient } from 'weaviate-client';
import { spreadOverRepositories } from '../../domain/catalog/search/diversity.ts';
import { nameTerm } from '../../domain/catalog/search/identifiers.ts';
import { checkLimit, type ParsedQuery, readQuestion } from '../../domain/catalog/search/question.ts';
import {
  type Candidate,
  type Explanation,
  RANKING,
  rankFiles,
  type RankingWeights,
} from '../../domain/catalog/search/ranking.ts';
import { mostRelevantLines } from '../../domain/catalog/search/snippet.ts';
import { refOfBranch } from '../../domain/git/branch.ts';
import { DEFAULT_REF } from '../../domain/git/snapshot.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { Analyzer } from './analysis/analyzer.ts';
import { indexedLanguage, readLanguages } from './analysis/indexed-language.ts';
import { createReused, type Reused } from '../shared/reused.ts';
import type { Rescorer } from './models/rescorer.ts';
import { allOf, type Asked, bestOfPaths, readPathFilter } from './path-candidates.ts';
import { recentCommits } from './recent-commits.ts';
import type { ChunkProperties } from './store/schema.ts';
import type { IndexStore } from './store/store.ts';
import { searchView } from './search-view.ts';
import { failureOfWeaviate } from './store/weaviate.ts';
import { whyEmpty } from './why-empty.ts';

/** A search query. */
export interface SearchQuery {
  readonly query: string;
  /** Ids of the repositories to search; all when left out. */
  readonly repositories?: readonly string[];
  /** Language such as `TypeScript`, in any case, or a usual short name of it such as `ts`. */
  readonly language?: string;
  /** Path, folder or glob inside the repository, such as `src/**`: docs/patterns.md. */
  readonly path?: string;
  /**
   * The branch to search, in the repositories that are indexed at it, as their HEAD or as another branch. @default HEAD
   */
  readonly branch?: string;
  /** Maximum number of results, 1 to 100. @default 10 */
  readonly limit?: number;
  /**
   * False to skip the comparison by the transformer, which is slow the first time that a chunk is compared. @default
   * true
   */
  readonly rescore?: boolean;
  /** True to include what each rule contributed to each result. @default false */
  readonly explain?: boolean;
}

/** A found file, represented by its best chunk. */
export interface SearchResult {
  /** Repository id. */
  readonly repo: string;
  readonly path: string;
  /** First line of the snippet, 1-based. */
  readonly startLine: number;
  /** Last line of the snippet, inclusive. */
  readonly endLine: number;
  readonly language: string;
  /** Definitions in this chunk. */
  readonly symbols: readonly string[];
  /** Never higher than that of the result before it. Comparable within one answer only. */
  readonly score: number;
  /** The lines that match the query best, at most {@link SNIPPET_LINES}. */
  readonly snippet: string;
  /** Commit in the receipt of the repository at HEAD, or at the branch. */
  readonly commit: string;
  /** Present when requested. */
  readonly explain?: SearchExplanation;
}

/** What each rule contributed to a result (docs/search.md). */
export interface SearchExplanation extends Explanation {
  /** Score without the transformer, before diversity is applied. */
  readonly firstStage: number;
  /** Factor applied because of better results of the same repository; 1 for its first. */
  readonly diversity: number;
}

/** The answer of a search. */
export interface SearchAnswer {
  readonly query: string;
  /** Milliseconds from the call to the answer. */
  readonly tookMs: number;
  readonly results: readonly SearchResult[];
  /** Why there are no results; present only then. */
  readonly reason?: string;
}

/** Dependencies of {@link search}. */
export interface SearchTools {
  readonly store: IndexStore;
  readonly analyzer: Analyzer;
  /** Compares the best files once more; without it, only the first stage runs. */
  readonly rescorer?: Rescorer | undefined;
  /** The weight of each rule; other weights are for measurements. */
  readonly weights?: RankingWeights;
}

/** Maximum number of characters of a query. */
const LONGEST_QUERY = 2_000;
/** Maximum number of lines in a snippet. */
export const SNIPPET_LINES = 20;
/** Number of chunks found by words. */
const CANDIDATES = 100;
/** Number of chunks found by vectors, which weigh less: Weaviate takes longer to read each one than to find it. */
const NEAREST = 50;
/** Number of chunks that define a name in the query. */
const DEFINITIONS = 50;
/** Number of files that the transformer compares with the query, and of chunks of each. */
const RESCORED_FILES = 10;
const RESCORED_PIECES = 2;

const KEYWORD_PROPERTIES = [
  { name: 'stems', weight: 2 },
  { name: 'pathStems', weight: 4 },
  { name: 'scopeStems', weight: 1 },
] as const;

type Chunks = Collection<ChunkProperties>;

/**
 * Searches by words (BM25 over split and stemmed identifiers, path and definitions) and by meaning (vectors), ranks
 * files by the rules of `domain/catalog/search/ranking.ts`, and compares the best of them once more with the
 * transformer. Throws `InvalidInput` for a limit
 * outside 1 to 100, for a query that is empty, longer than {@link LONGEST_QUERY} or without search
 * terms, for a language without indexed files, and for a branch that no repository is indexed at; `ServerUnavailable`
 * when Weaviate does not answer.
 */
export async function search(client: WeaviateClient, tools: SearchTools, question: SearchQuery): Promise<SearchAnswer> {
  const { query, limit } = question;
  if (limit !== undefined) checkLimit(limit);
  if (query.trim() === '') throw new LonghaulError('InvalidInput', 'The query is empty: give some words.');
  if (question.language === '')
    throw new LonghaulError('InvalidInput', 'The language is empty: name one, or leave it out.');
  if (query.length > LONGEST_QUERY) {
    throw new LonghaulError(
      'InvalidInput',
      `The query has ${query.length} characters: give at most ${LONGEST_QUERY}, the words that matter.`,
    );
  }
  try {
    return await answerTo(client, tools, question);
  } catch (error) {
    throw failureOfWeaviate(error);
  }
}

async function answerTo(
  client: WeaviateClient,
  { store, analyzer, rescorer, weights = RANKING }: SearchTools,
  question: SearchQuery,
): Promise<SearchAnswer> {
  const started = performance.now();
  const { query, limit = 10, rescore = true } = question;
  const asked = readQuestion(query);
  const chunks: Chunks = client.collections.use<string, ChunkProperties>(store.names.chunks);
  const found =
    question.repositories?.length === 0 ? [] : await candidatesOf(chunks, { store, analyzer }, question, asked);

  const first = rankFiles(asked, found, weights);
  const texts = new Map<string, ChunkProperties>();
  const commits = new Map<string, string>();
  const read = async (candidates: readonly Candidate[], shown: readonly Candidate[]): Promise<void> => {
    const repositories = new Set(shown.map(({ repo }) => repo).filter((repo) => !commits.has(repo)));
    await Promise.all([
      addCommits(store, repositories, question.branch, commits),
      readTexts(chunks, [...candidates, ...shown], texts),
    ]);
  };
  let ranked = first;
  if (rescore && rescorer) {
    const pieces = first.slice(0, RESCORED_FILES).flatMap((file) => file.pieces.slice(0, RESCORED_PIECES));
    // with what will most likely be shown, so that it need not be read afterwards
    const likely = first.slice(0, Math.max(limit, RESCORED_FILES)).map(({ best }) => best);
    await read(pieces, likely);
    const meanings = await meaningsOf(rescorer, query, pieces, texts);
    const compared = found.map((candidate) => withMeaning(candidate, meanings.get(candidate.id)));
    ranked = rankFiles(asked, compared, weights);
  }
  const spread = spreadOverRepositories(ranked, ({ best, score }) => ({ repo: best.repo, score })).slice(0, limit);
  const files = spread.map(({ result }) => result);
  await read(
    [],
    files.map(({ best }) => best),
  );

  const firstScores = new Map(first.map(({ best, score }) => [fileKey(best), score]));
  const results = spread.flatMap(({ result: { best, explanation }, score, factor }) => {
    const chunk = texts.get(best.id);
    // a sync may have replaced it since it was found
    if (chunk === undefined) return [];
    const firstStage = firstScores.get(fileKey(best)) ?? 0;
    const explain = roundedAll({ firstStage, ...explanation, diversity: factor });
    const result = resultOf(chunk, asked, score, commits.get(chunk.repo) ?? '');
    return question.explain === true ? { ...result, explain } : result;
  });
  const reason = results.length === 0 ? { reason: await reasonOf(chunks, { store, analyzer }, question) } : {};
  return { query, tookMs: Math.round(performance.now() - started), results, ...reason };
}

/** How long the list of languages in an index is reused, in milliseconds. A language that it lacks is looked up again. */
const LANGUAGES_COUNT_MS = 10_000;
const languages = new WeakMap<IndexStore, Reused<readonly string[]>>();

/** The languages in an index. */
function languagesOf(store: IndexStore, chunks: Chunks): Reused<readonly string[]> {
  const known = languages.get(store) ?? createReused(() => readLanguages(chunks), LANGUAGES_COUNT_MS);
  languages.set(store, known);
  return known;
}

/** Why a question has no results. */
async function reasonOf(
  chunks: Chunks,
  tools: Pick<SearchTools, 'store' | 'analyzer'>,
  question: SearchQuery,
): Promise<string> {
  const { query, repositories, language, path, branch, limit = 10 } = question;
  if (repositories?.length === 0) return 'No indexed repository matches.';
  const spelled =
    language === undefined ? undefined : await indexedLanguage(languagesOf(tools.store, chunks), language);
  const pathFilter = path === undefined ? null : await readPathFilter(chunks, path);
  const resultsWithoutFilters = async (): Promise<number> => {
    const { language: _language, path: _path, ...unfiltered } = question;
    const asked = readQuestion(query);
    return rankFiles(asked, await candidatesOf(chunks, tools, unfiltered, asked)).slice(0, limit).length;
  };
  return searchView(tools.store, chunks, { branch, repositories }, (view) =>
    whyEmpty(chunks, {
      within: allOf([view, ofRepositories(chunks, repositories)]),
      language: spelled,
      path,
      pathFilter,
      resultsWithoutFilters,
    }),
  );
}

function ofRepositories({ filter }: Chunks, repositories: readonly string[] | undefined): FilterValue | null {
  return repositories === undefined ? null : filter.byProperty('repo').containsAny([...repositories]);
}

function resultOf(
  { repo, path, language, symbols, startLine: from, text }: ChunkProperties,
  asked: ParsedQuery,
  score: number,
  commit: string,
): SearchResult {
  const {
    startLine,
    endLine,
    text: snippet,
  } = mostRelevantLines({ text, startLine: from }, [...asked.terms, ...asked.alsoTerms], SNIPPET_LINES);
  return { repo, path, startLine, endLine, language, symbols, score: rounded(score), snippet, commit };
}

/** The chunks found by words, vectors and names, without duplicates. */
async function candidatesOf(
  chunks: Chunks,
  { store, analyzer }: Pick<SearchTools, 'store' | 'analyzer'>,
  { query, repositories, language, path, branch }: SearchQuery,
  asked: ParsedQuery,
): Promise<Candidate[]> {
  const spelled = language === undefined ? undefined : await indexedLanguage(languagesOf(store, chunks), language);
  const vector = await analyzer.embedQuery(query);
  const names = asked.names.flatMap((name) => nameTerm(name) ?? []);
  const words = [...asked.terms, ...asked.alsoTerms];
  const optionsOf = optionsFor(store, analyzer);
  const isMeaningless = vector.every((value) => value === 0);
  if (words.length === 0 && isMeaningless) {
    throw new LonghaulError('InvalidInput', 'The query has no words that can be searched for: give some words.');
  }
  const pathFilter = path === undefined ? null : await readPathFilter(chunks, path);
  const [byWords = [], byVector = [], byName = []] = await searchView(
    store,
    chunks,
    { branch, repositories },
    (view) => {
      const within = allOf([
        view,
        ofRepositories(chunks, repositories),
        spelled === undefined ? null : chunks.filter.byProperty('language').equal(spelled),
      ]);
      const byKeywords: Asked<Found> = {
        limit: CANDIDATES,
        ask: async (filters, most) =>
          words.length === 0
            ? []
            : (
                await chunks.query.bm25(words.join(' '), {
                  ...optionsOf(filters, most),
                  queryProperties: [...KEYWORD_PROPERTIES],
                  returnMetadata: ['score'],
                })
              ).objects,
      };
      const byMeaning: Asked<Found> = {
        limit: NEAREST,
        ask: async (filters, most) =>
          isMeaningless
            ? []
            : (
                await chunks.query.nearVector(Array.from(vector), {
                  ...optionsOf(filters, most),
                  returnMetadata: ['distance'],
                })
              ).objects,
      };
      const byDefinition: Asked<Found> = {
        limit: DEFINITIONS,
        ask: async (filters, most) =>
          names.length === 0
            ? []
            : (
                await chunks.query.bm25(names.join(' '), {
                  ...optionsOf(filters, most),
                  queryProperties: ['scopeStems'],
                })
              ).objects,
      };
      return bestOfPaths(chunks, pathFilter, within, [byKeywords, byMeaning, byDefinition]);
    },
  );
  const found = new Map<string, Candidate>();
  const note = (
    { uuid, properties: { repo, path: at, symbols, declares = [] } }: Found,
    score: Partial<Candidate>,
  ): void => {
    const candidate = { id: uuid, repo, path: at, symbols, declares, keyword: 0, vector: 0 };
    found.set(uuid, { ...candidate, ...found.get(uuid), ...score });
  };
  for (const each of byWords) note(each, { keyword: each.metadata?.score ?? 0 });
  for (const each of byVector) note(each, { vector: 1 - (each.metadata?.distance ?? 1) });
  for (const each of byName) note(each, {});
  return [...found.values()];
}

/** A chunk found by one of the queries. */
interface Found {
  readonly uuid: string;
  readonly properties: Pick<ChunkProperties, 'repo' | 'path' | 'symbols'> & Partial<Pick<ChunkProperties, 'declares'>>;
  readonly metadata?: { readonly score?: number; readonly distance?: number } | undefined;
}

/** The options of a query for candidates, by filter and number. */
function optionsFor({ names }: IndexStore, { digest }: Analyzer) {
  // a build of an earlier version lacks the properties that were added since
  const isCurrent = names.chunks.endsWith(digest);
  const returnProperties: ('repo' | 'path' | 'symbols' | 'declares')[] = ['repo', 'path', 'symbols'];
  if (isCurrent) returnProperties.push('declares');
  return (filters: FilterValue | null, limit: number) => ({
    limit,
    returnProperties,
    ...(filters === null ? {} : { filters }),
  });
}

/** The transformer's score of chunks, by chunk id. */
async function meaningsOf(
  rescorer: Rescorer,
  query: string,
  candidates: readonly Candidate[],
  texts: ReadonlyMap<string, ChunkProperties>,
): Promise<Map<string, number>> {
  const pieces = candidates.flatMap(({ id }) => {
    const chunk = texts.get(id);
    return chunk === undefined ? [] : [{ id, chunk }];
  });
  const similarities = await rescorer.similarities(
    query,
    pieces.map(({ chunk }) => chunk),
  );
  return new Map(pieces.map(({ id }, at) => [id, similarities[at] ?? 0]));
}

function withMeaning(candidate: Candidate, meaning: number | undefined): Candidate {
  return meaning === undefined ? candidate : { ...candidate, meaning };
}

/** Adds the texts and shown fields of chunks, by id, unless they are there already. */
async function readTexts(
  chunks: Chunks,
  candidates: readonly Candidate[],
  texts: Map<string, ChunkProperties>,
): Promise<void> {
  const ids = [...new Set(candidates.map(({ id }) => id))].filter((id) => !texts.has(id));
  if (ids.length === 0) return;
  const { objects } = await chunks.query.fetchObjects({
    filters: chunks.filter.byId().containsAny(ids),
    limit: ids.length,
    returnProperties: ['repo', 'path', 'startLine', 'language', 'symbols', 'text'],
  });
  for (const { uuid, properties } of objects) texts.set(uuid, properties);
}

/** Adds the commits of repositories at HEAD, or at a branch where it is indexed in addition to HEAD. */
async function addCommits(
  store: IndexStore,
  repositories: ReadonlySet<string>,
  branch: string | undefined,
  commits: Map<string, string>,
): Promise<void> {
  const refs = [DEFAULT_REF, ...(branch === undefined ? [] : [refOfBranch(branch)])];
  const read = await Promise.all(refs.map((ref) => recentCommits(store, repositories, ref)));
  for (const [repository, commit] of read.flatMap((each) => [...each])) commits.set(repository, commit);
}

function fileKey({ repo, path }: Candidate): string {
  return `${repo}\0${path}`;
}

function rounded(value: number): number {
  return Number(value.toFixed(4));
}

function roundedAll(explanation: SearchExplanation): SearchExplanation {
  const entries = Object.entries(explanation).map(([rule, value]: [string, unknown]) => [
    rule,
    typeof value === 'number' ? rounded(value) : value,
  ]);
  return Object.fromEntries(entries) as SearchExplanation;
}
