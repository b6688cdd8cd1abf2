import picomatch from 'picomatch';
import { type Collection, type FilterValue, Filters, type WeaviateClient } from 'weaviate-client';
import { spreadOverRepositories } from '../../domain/catalog/search/diversity.ts';
import { stems } from '../../domain/catalog/search/identifiers.ts';
import { checkLimit, type Question, readQuestion } from '../../domain/catalog/search/question.ts';
import {
  type Candidate,
  type Explanation,
  type RankedFile,
  RANKING,
  rankFiles,
  type RankingWeights,
} from '../../domain/catalog/search/ranking.ts';
import { mostRelevantLines } from '../../domain/catalog/search/snippet.ts';
import { refOfBranch } from '../../domain/git/branch.ts';
import { headReceipts } from '../../domain/catalog/index/refs.ts';
import { DEFAULT_REF } from '../../domain/git/snapshot.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { Analyzer } from './analysis/analyzer.ts';
import { indexedLanguage } from './analysis/indexed-language.ts';
import type { Rescorer } from './models/rescorer.ts';
import type { ChunkProperties } from './store/schema.ts';
import type { IndexStore } from './store/store.ts';
import { isConnectionLoss, unavailable } from './store/weaviate.ts';

/** A question to the index. */
export interface SearchQuery {
  readonly query: string;
  /** Ids of the repositories to look in; all when left out. */
  readonly repositories?: readonly string[];
  /** Language such as `TypeScript`, in any case, or a usual short name of it such as `ts`. */
  readonly language?: string;
  /** Glob over the path inside the repository, such as `src/**`. */
  readonly path?: string;
  /** The branch to look at, in the repositories that are indexed at it: as their HEAD or beside it. @default HEAD, whatever it names */
  readonly branch?: string;
  /** Results at most, 1 to 100. @default 10 */
  readonly limit?: number;
  /** False to leave out the comparison by the transformer, which costs the first time that a piece of code is compared. @default true */
  readonly rescore?: boolean;
  /** True to say of each result what each rule contributed. @default false */
  readonly explain?: boolean;
}

/** One file that answers, shown by its best piece. */
export interface SearchResult {
  /** Repository id. */
  readonly repo: string;
  readonly path: string;
  /** First line of the snippet, 1-based. */
  readonly startLine: number;
  /** Last line of the snippet, inclusive. */
  readonly endLine: number;
  readonly language: string;
  /** Definitions in this piece. */
  readonly symbols: readonly string[];
  /** Never more than that of the result before it. Comparable within one answer only. */
  readonly score: number;
  /** The lines that say most of what was asked, at most {@link SNIPPET_LINES}. */
  readonly snippet: string;
  /** Commit that the receipt of the repository at HEAD, or at the branch, vouches for. */
  readonly commit: string;
  /** Present when it was asked for. */
  readonly explain?: SearchExplanation;
}

/** What each rule contributed to a result (docs/search.md). */
export interface SearchExplanation extends Explanation {
  /** Score without the transformer, before the repositories were mixed. */
  readonly firstStage: number;
  /** What the score was multiplied by because of better results of the same repository; 1 for its first. */
  readonly diversity: number;
}

/** What a search answers. */
export interface SearchAnswer {
  readonly query: string;
  readonly tookMs: number;
  readonly results: readonly SearchResult[];
}

/** What {@link search} works with. */
export interface SearchTools {
  readonly store: IndexStore;
  readonly analyzer: Analyzer;
  /** Compares the best files once more; without it, the first stage is all. */
  readonly rescorer?: Rescorer | undefined;
  /** What each rule counts; another choice is for measuring what they are worth. */
  readonly weights?: RankingWeights;
}

/** Characters of a query: more is no question, but a text. */
const LONGEST_QUERY = 2_000;
/** Lines of code that a result shows at most. */
export const SNIPPET_LINES = 20;
/** Pieces of code that words find, and as many that vectors find. */
const CANDIDATES = 100;
/** The same where a glob is checked afterwards. */
const CANDIDATES_WITH_GLOB = 1_000;
/** Pieces that define something of the asked name. */
const DEFINITIONS = 50;
/** Files whose best piece the transformer compares with the question. */
const RESCORED_FILES = 30;

const KEYWORD_PROPERTIES = [
  { name: 'stems', weight: 2 },
  { name: 'pathStems', weight: 4 },
  { name: 'scopeStems', weight: 1 },
] as const;

type Chunks = Collection<ChunkProperties>;

/**
 * Searches by words (BM25 over split and stemmed identifiers, path and definitions) and by meaning (vectors), ranks files by the
 * rules of `domain/catalog/search/ranking.ts`, and compares the best of them once more with the transformer. Throws `InvalidInput` for
 * a limit outside 1 to 100, a query that is empty, longer than {@link LONGEST_QUERY} or without anything that can be searched for, for a language that
 * nothing in the index is written in, and for a branch that no repository is indexed at; `ServerUnavailable` when Weaviate does not answer.
 */
export async function search(client: WeaviateClient, tools: SearchTools, question: SearchQuery): Promise<SearchAnswer> {
  const { query, limit } = question;
  if (limit !== undefined) checkLimit(limit);
  if (query.trim() === '') throw new LonghaulError('InvalidInput', 'The query is empty: give some words.');
  if (question.path === '') throw new LonghaulError('InvalidInput', 'The path is empty: give a glob, or leave it out.');
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
    throw !(error instanceof LonghaulError) && isConnectionLoss(error) ? unavailable(error) : error;
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
  let ranked = first;
  if (rescore && rescorer) {
    await readTexts(chunks, first.slice(0, RESCORED_FILES), texts);
    const meanings = await meaningsOf(rescorer, query, first, texts);
    const compared = found.map((candidate) => withMeaning(candidate, meanings.get(candidate.id)));
    ranked = rankFiles(asked, compared, weights);
  }
  const spread = spreadOverRepositories(ranked, ({ best, score }) => ({ repo: best.repo, score })).slice(0, limit);
  const files = spread.map(({ result }) => result);
  const [commits] = await Promise.all([
    commitsOf(store, new Set(files.map(({ best }) => best.repo)), question.branch),
    readTexts(chunks, files, texts),
  ]);

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
  return { query, tookMs: Math.round(performance.now() - started), results };
}

function resultOf(
  { repo, path, language, symbols, startLine: from, text }: ChunkProperties,
  asked: Question,
  score: number,
  commit: string,
): SearchResult {
  const {
    startLine,
    endLine,
    text: snippet,
  } = mostRelevantLines({ text, startLine: from }, asked.terms, SNIPPET_LINES);
  return { repo, path, startLine, endLine, language, symbols, score: rounded(score), snippet, commit };
}

/** What words, vectors and names find, each piece once. */
async function candidatesOf(
  chunks: Chunks,
  { store, analyzer }: Pick<SearchTools, 'store' | 'analyzer'>,
  { query, repositories, language, path, branch }: SearchQuery,
  asked: Question,
): Promise<Candidate[]> {
  const spelled = language === undefined ? undefined : await indexedLanguage(chunks, language);
  const vector = await analyzer.embedQuery(query);
  const names = asked.names.flatMap((name) => stems(name).slice(-1));
  const isMeaningless = vector.every((value) => value === 0);
  if (asked.terms.length === 0 && isMeaningless) {
    throw new LonghaulError('InvalidInput', 'The query has nothing in it that can be searched for: give some words.');
  }
  const [byWords, byVector, byName] = await seen(store, chunks, { branch, repositories }, (view) => {
    const filters = filtersOf(chunks.filter, { repositories, language: spelled, path, view });
    const options = {
      limit: path === undefined ? CANDIDATES : CANDIDATES_WITH_GLOB,
      returnProperties: ['repo', 'path', 'symbols'] as ('repo' | 'path' | 'symbols')[],
      ...(filters === null ? {} : { filters }),
    };
    return Promise.all([
      asked.terms.length === 0
        ? null
        : chunks.query.bm25(asked.terms.join(' '), {
            ...options,
            queryProperties: [...KEYWORD_PROPERTIES],
            returnMetadata: ['score'],
          }),
      isMeaningless ? null : chunks.query.nearVector(Array.from(vector), { ...options, returnMetadata: ['distance'] }),
      names.length === 0
        ? null
        : chunks.query.bm25(names.join(' '), { ...options, limit: DEFINITIONS, queryProperties: ['scopeStems'] }),
    ]);
  });
  const matches = path === undefined ? () => true : picomatch(path, { dot: true });
  const found = new Map<string, Candidate>();
  const note = (
    uuid: string,
    { repo, path: at, symbols }: Pick<ChunkProperties, 'repo' | 'path' | 'symbols'>,
    score: Partial<Candidate>,
  ): void => {
    if (!matches(at)) return;
    found.set(uuid, { id: uuid, repo, path: at, symbols, keyword: 0, vector: 0, ...found.get(uuid), ...score });
  };
  for (const { uuid, properties, metadata } of byWords?.objects ?? [])
    note(uuid, properties, { keyword: metadata?.score ?? 0 });
  for (const { uuid, properties, metadata } of byVector?.objects ?? [])
    note(uuid, properties, { vector: 1 - (metadata?.distance ?? 1) });
  for (const { uuid, properties } of byName?.objects ?? []) note(uuid, properties, {});
  return [...found.values()];
}

/** What the transformer says of the best piece of each of the first files, by the id of the piece. */
async function meaningsOf(
  rescorer: Rescorer,
  query: string,
  first: readonly RankedFile<Candidate>[],
  texts: ReadonlyMap<string, ChunkProperties>,
): Promise<Map<string, number>> {
  const pieces = first.slice(0, RESCORED_FILES).flatMap(({ best: { id } }) => {
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

/** Adds the best pieces of these files, by id, with all that is shown of them, unless they are there already. */
async function readTexts(
  chunks: Chunks,
  files: readonly RankedFile<Candidate>[],
  texts: Map<string, ChunkProperties>,
): Promise<void> {
  const ids = files.map(({ best }) => best.id).filter((id) => !texts.has(id));
  if (ids.length === 0) return;
  const { objects } = await chunks.query.fetchObjects({
    filters: chunks.filter.byId().containsAny(ids),
    limit: ids.length,
    returnProperties: ['repo', 'path', 'startLine', 'language', 'symbols', 'text'],
  });
  for (const { uuid, properties } of objects) texts.set(uuid, properties);
}

function filtersOf(
  filter: Chunks['filter'],
  {
    repositories,
    language,
    path,
    view,
  }: {
    repositories?: readonly string[] | undefined;
    language?: string | undefined;
    path?: string | undefined;
    view: FilterValue | null;
  },
): FilterValue | null {
  const filters: FilterValue[] = view === null ? [] : [view];
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

/** What is looked at: HEAD of every repository, or the branch that was asked for. */
interface View {
  readonly branch: string | undefined;
  readonly repositories: readonly string[] | undefined;
}

/** Whether an index had branches, and when it was asked. */
const branchiness = new WeakMap<IndexStore, { readonly isBranchy: boolean; readonly at: number }>();
/** Who asks often need not ask that every time, in milliseconds. */
const BRANCHINESS_COUNTS_MS = 1_000;

/**
 * Looks at what is to be seen: `look` gets the filter, null where that is all of the index. Whether there are branches is
 * asked at the same time, so that it costs no time: what was known of it holds until the answer says otherwise.
 */
async function seen<Result>(
  store: IndexStore,
  chunks: Chunks,
  view: View,
  look: (filter: FilterValue | null) => Promise<Result>,
): Promise<Result> {
  if (view.branch !== undefined) return look(await branchFilter(store, chunks, { ...view, branch: view.branch }));
  const lookAt = (isBranchy: boolean): Promise<Result> => look(isBranchy ? isAt(chunks, DEFAULT_REF) : null);
  const known = branchiness.get(store) ?? { isBranchy: false, at: Number.NEGATIVE_INFINITY };
  const now = performance.now();
  if (now - known.at < BRANCHINESS_COUNTS_MS) return lookAt(known.isBranchy);
  const [isBranchy, result] = await Promise.all([store.hasBranches(), lookAt(known.isBranchy)]);
  branchiness.set(store, { isBranchy, at: now });
  return isBranchy === known.isBranchy ? result : lookAt(isBranchy);
}

function isAt({ filter }: Chunks, ref: string): FilterValue {
  return filter.byProperty('refs').containsAny([ref]);
}

/** Everything of a branch, where it is HEAD and where it is indexed beside it. */
async function branchFilter(
  store: IndexStore,
  chunks: Chunks,
  { branch, repositories }: View & { readonly branch: string },
): Promise<FilterValue> {
  const ref = refOfBranch(branch);
  const receipts = (await store.receipts()).filter(
    ({ repository, commit }) => commit !== '' && repositories?.includes(repository) !== false,
  );
  const isBeside = receipts.some((receipt) => receipt.ref === ref);
  const heads = headReceipts(receipts).filter((receipt) => receipt.branch === branch);
  const ofHeads = chunks.filter.byProperty('repo').containsAny(heads.map(({ repository }) => repository));
  const atHead = heads.length === 0 ? [] : [Filters.and(isAt(chunks, DEFAULT_REF), ofHeads)];
  const [first, ...others] = [...(isBeside ? [isAt(chunks, ref)] : []), ...atHead];
  if (first !== undefined) return others.length === 0 ? first : Filters.or(first, ...others);
  throw new LonghaulError(
    'InvalidInput',
    `No repository is indexed at a branch ${JSON.stringify(branch)}: \`longhaul index list\` shows what there is.`,
  );
}

/** The commits of repositories at HEAD, or at a branch where it is indexed beside HEAD. */
async function commitsOf(
  store: IndexStore,
  repositories: ReadonlySet<string>,
  branch: string | undefined,
): Promise<Map<string, string>> {
  const ids = [...repositories];
  const [heads, beside] = await Promise.all([
    store.readReceipts(ids),
    branch === undefined ? [] : store.readReceipts(ids, refOfBranch(branch)),
  ]);
  return new Map([...heads, ...beside].map(({ repository, commit }) => [repository, commit]));
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
