import { type FileKind, kindsOf } from '../../git/file-kind.ts';
import { stems } from './identifiers.ts';
import { type ParsedQuery, wordsOf } from './question.ts';

/** A chunk of a file that may answer a query, with its score by each measure alone. */
export interface Candidate {
  readonly id: string;
  readonly repo: string;
  readonly path: string;
  /** Names that it defines. */
  readonly symbols: readonly string[];
  /** Names that it only declares, extends or exports again. */
  readonly declares: readonly string[];
  /** BM25 score; 0 when not found by words. */
  readonly keyword: number;
  /** Cosine similarity to the query; 0 when its vector was not among the nearest. */
  readonly vector: number;
  /** Cosine similarity by the larger model; absent if that model was not used. */
  readonly meaning?: number;
}

/** The weight of each rule. Scores are fractions of the best: 1 is a file that is first by every measure. */
export interface RankingWeights {
  /** Weight of vectors, relative to words. */
  readonly vector: number;
  /** The same for a query that is a name. */
  readonly vectorOfSymbol: number;
  /** Weight of the larger model, if used. */
  readonly meaning: number;
  readonly meaningOfSymbol: number;
  /** What the next three chunks of a file add to its best chunk. */
  readonly file: number;
  /** For a chunk that defines a name in the query. */
  readonly definition: number;
  /** Factor for a chunk that only declares, extends or exports the name again. */
  readonly declared: number;
  /** A definition counts less the more files have one of the same name: divided by their number to this power. */
  readonly ambiguity: number;
  /** For a chunk that defines the name formed by the query's words. */
  readonly spelled: number;
  /** For a file whose name and folder match the query. */
  readonly path: number;
  /** The same for a query that is a name: its definition tells more than the name of a file. */
  readonly pathOfSymbol: number;
  /** Factor for the score of a file of each kind. */
  readonly kinds: Readonly<Record<FileKind, number>>;
}

/** The weights that search uses, chosen on judged queries (docs/search.md). */
export const RANKING: RankingWeights = {
  vector: 0.15,
  vectorOfSymbol: 0.2,
  meaning: 0.5,
  meaningOfSymbol: 0.3,
  file: 0.2,
  definition: 2,
  declared: 0.4,
  ambiguity: 0.5,
  spelled: 0.3,
  path: 0.4,
  pathOfSymbol: 0.1,
  kinds: {
    test: 0.4,
    example: 0.5,
    documentation: 0.5,
    benchmark: 0.5,
    locale: 0.5,
    generated: 0.6,
    declaration: 0.7,
    legacy: 0.6,
    're-export': 0.8,
    data: 0.6,
    output: 0.6,
    tooling: 0.8,
  },
};

/** What each rule contributed to a file's score. */
export interface Explanation {
  readonly keyword: number;
  readonly vector: number;
  readonly meaning: number | null;
  readonly definition: number;
  readonly file: number;
  readonly path: number;
  readonly kinds: readonly { readonly kind: FileKind; readonly factor: number }[];
}

/** A found file, represented by its best chunk. */
export interface RankedFile<C extends Candidate> {
  readonly best: C;
  /** Its chunks among the candidates, best first. */
  readonly pieces: readonly C[];
  readonly score: number;
  readonly explanation: Explanation;
}

/** Ranks files, best first; ties are ordered by repository and path. One entry for every file of the candidates. */
export function rankFiles<C extends Candidate>(
  question: ParsedQuery,
  candidates: readonly C[],
  weights: RankingWeights = RANKING,
): RankedFile<C>[] {
  const keyword = scale(
    candidates.map((c) => c.keyword),
    0,
  );
  const vector = scale(
    candidates.map((c) => c.vector),
    lowest(candidates.map((c) => c.vector)),
  );
  const meanings = candidates.flatMap(({ meaning }) => (meaning === undefined ? [] : [meaning]));
  const meaning = scale(meanings, lowest(meanings));
  const vectorPart = question.isSymbol ? weights.vectorOfSymbol : weights.vector;
  const meaningPart = meanings.length === 0 ? 0 : question.isSymbol ? weights.meaningOfSymbol : weights.meaning;
  const files = new Map<string, Scored<C>[]>();
  const definers = definersOf(question, candidates, weights);
  const pathMatch = pathMatcher(question, candidates);
  for (const candidate of candidates) {
    const parts = {
      keyword: (1 - meaningPart) * (1 - vectorPart) * keyword(candidate.keyword),
      vector: (1 - meaningPart) * vectorPart * vector(candidate.vector),
      meaning: candidate.meaning === undefined ? null : meaningPart * meaning(candidate.meaning),
      definition: definitionScore(question, candidate, definers, weights),
    };
    const score = parts.keyword + parts.vector + (parts.meaning ?? 0) + parts.definition;
    const file = `${candidate.repo}\0${candidate.path}`;
    const pieces = files.get(file);
    if (pieces) pieces.push({ candidate, score, parts });
    else files.set(file, [{ candidate, score, parts }]);
  }
  return [...files.values()]
    .map((pieces) => rankedFile(question, pieces, { pathMatch, definers }, weights))
    .sort(byScore);
}

interface Scored<C> {
  readonly candidate: C;
  readonly score: number;
  readonly parts: Pick<Explanation, 'keyword' | 'vector' | 'meaning' | 'definition'>;
}

const NEXT_PIECES = 3;

function rankedFile<C extends Candidate>(
  question: ParsedQuery,
  pieces: readonly Scored<C>[],
  { pathMatch, definers }: { readonly pathMatch: (path: string) => number; readonly definers: Definers },
  weights: RankingWeights,
): RankedFile<C> {
  const ordered = pieces.toSorted((a, b) => b.score - a.score || compare(a.candidate.id, b.candidate.id));
  const [first, ...others] = ordered as [Scored<C>, ...Scored<C>[]];
  const { path } = first.candidate;
  const file = weights.file * others.slice(0, NEXT_PIECES).reduce((sum, { score }) => sum + score, 0);
  const named = (question.isSymbol ? weights.pathOfSymbol : weights.path) * pathMatch(path);
  const defined = pieces.flatMap(({ candidate }) => candidate.symbols);
  const kinds = kindsOf(path)
    .filter((kind) => !question.kinds.has(kind) && !isExcused(kind, question, definers, defined))
    .map((kind) => ({ kind, factor: weights.kinds[kind] }));
  const factor = kinds.reduce((product, kind) => product * kind.factor, 1);
  return {
    best: first.candidate,
    pieces: ordered.map(({ candidate }) => candidate),
    score: (first.score + file + named) * factor,
    explanation: { ...first.parts, file, path: named, kinds },
  };
}

function byScore<C extends Candidate>(a: RankedFile<C>, b: RankedFile<C>): number {
  return b.score - a.score || compare(a.best.repo, b.best.repo) || compare(a.best.path, b.best.path);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Maps values linearly: `low` to 0, the highest to 1. */
function scale(values: readonly number[], low: number): (value: number) => number {
  const high = values.reduce((most, value) => Math.max(most, value), low);
  return (value) => (high > low ? Math.max(0, (value - low) / (high - low)) : value > 0 ? 1 : 0);
}

/** The lowest positive value; 0 without one. */
function lowest(values: readonly number[]): number {
  const found = values.filter((value) => value !== 0);
  return found.length === 0 ? 0 : found.reduce((least, value) => Math.min(least, value));
}

/** Factors for a name in different case, for the qualifier of a name, and for names among other words. */
const OTHER_CASE = 0.7;
const QUALIFIER = 0.5;
const EMBEDDED = 0.5;

function definitionScore(
  question: ParsedQuery,
  { symbols, declares }: Candidate,
  { shareOf }: Definers,
  weights: RankingWeights,
): number {
  const valueOf = (name: string): number => {
    const share = weights.definition * shareOf(name);
    if (symbols.includes(name)) return share;
    if (symbols.some((one) => one.toLowerCase() === name.toLowerCase())) return share * OTHER_CASE;
    return declares.includes(name) ? share * weights.declared : 0;
  };
  const [main, ...others] = question.names;
  if (question.isSymbol && main !== undefined) {
    return Math.max(valueOf(main), ...others.map((name) => valueOf(name) * QUALIFIER));
  }
  const named = question.names.reduce((sum, name) => sum + valueOf(name), 0) / Math.max(1, question.names.length);
  const spelled = Math.max(0, ...symbols.map((name) => wordMatch(question.terms, wordsOf(name))));
  return EMBEDDED * named + weights.spelled * spelled;
}

/** What the candidates know about the definitions of the names in a query. */
interface Definers {
  /** How much one definition of a name counts: less, the more files other than tests have one. */
  readonly shareOf: (name: string) => number;
  /** True when only tests define the requested name. */
  readonly areTests: boolean;
}

function definersOf({ names }: ParsedQuery, candidates: readonly Candidate[], { ambiguity }: RankingWeights): Definers {
  const filesByName = new Map(
    names.map((name) => {
      const defining = candidates.filter(({ symbols }) => symbols.includes(name));
      const others = defining.filter(({ path }) => !kindsOf(path).includes('test'));
      return [name, { all: defining.length, others: new Set(others.map(({ repo, path }) => `${repo}\0${path}`)).size }];
    }),
  );
  const main = filesByName.get(names[0] ?? '');
  return {
    shareOf: (name) => Math.max(1, filesByName.get(name)?.others ?? 1) ** -ambiguity,
    areTests: main !== undefined && main.all > 0 && main.others === 0,
  };
}

/** How well the words of a name match the query: 1 when they are the same. */
function wordMatch(terms: readonly string[], words: readonly string[]): number {
  if (words.length === 0 || terms.length === 0) return 0;
  const shared = words.filter((word) => terms.includes(word)).length;
  return (shared / words.length) ** 2 * Math.min(1, shared / Math.min(terms.length, 3));
}

const LEAST_PREFIX = 3;

/** True for a test that defines the requested name when nothing else does, and for a file of re-exports that defines something itself. */
function isExcused(
  kind: FileKind,
  { isSymbol, names: [main] }: ParsedQuery,
  { areTests }: Definers,
  defined: readonly string[],
): boolean {
  if (kind === 're-export') return defined.length > 0;
  return kind === 'test' && isSymbol && areTests && main !== undefined && defined.includes(main);
}

/**
 * How well the name and folder of a file match the query: the part of the query's words that they contain, where a word
 * counts more the fewer paths of the candidates contain it.
 */
function pathMatcher({ terms }: ParsedQuery, candidates: readonly Candidate[]): (path: string) => number {
  const wordsOfFolder = memoized(wordsOf);
  const matchedBy = new Map<string, readonly string[]>();
  for (const { path } of candidates) {
    if (!matchedBy.has(path)) matchedBy.set(path, termsIn(path, terms, wordsOfFolder));
  }
  const weights = new Map(
    terms.map((term) => {
      const paths = [...matchedBy.values()].filter((matched) => matched.includes(term)).length;
      return [term, Math.log(1 + matchedBy.size / (paths + 1))];
    }),
  );
  const weightOf = (some: readonly string[]): number => some.reduce((sum, term) => sum + (weights.get(term) ?? 0), 0);
  const most = weightOf(terms);
  return (path) => (most === 0 ? 0 : weightOf(matchedBy.get(path) ?? []) / most);
}

/** The search terms that the name and folder of a file contain. */
function termsIn(
  path: string,
  terms: readonly string[],
  wordsOfFolder: (folder: string) => readonly string[],
): readonly string[] {
  const parts = path.split('/');
  const name = (parts.at(-1) ?? '').replace(/\.[^.]*$/, '');
  const inName = stems(name);
  const inFolder = wordsOfFolder(parts.at(-2) ?? '');
  return terms.filter(
    (term) => inName.some((word) => isNear(term, word)) || inFolder.some((word) => isNear(term, word)),
  );
}

/** The function, called once for each argument. */
function memoized<Result>(make: (text: string) => Result): (text: string) => Result {
  const made = new Map<string, Result>();
  return (text) => {
    const known = made.get(text);
    if (known !== undefined) return known;
    const result = make(text);
    made.set(text, result);
    return result;
  };
}

/** True for equal words, or when one is a prefix of the other: `auth` is near `authent`. */
function isNear(a: string, b: string): boolean {
  if (a === b) return true;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return short.length >= LEAST_PREFIX && long.startsWith(short);
}
