import { joinedStems, nameTerms, operatorsOf, queryStems, splitIdentifier, stems } from './identifiers.ts';
import { FILE_KINDS, type FileKind } from '../../git/file-kind.ts';
import { LonghaulError } from '../../shared/failures.ts';

/** The most results that one search returns. */
export const MOST_RESULTS = 100;

/**
 * Checks the requested number of results. Throws `InvalidInput` unless it is a whole number from 1 to {@link
 * MOST_RESULTS}.
 */
export function checkLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_RESULTS) return;
  throw new LonghaulError('InvalidInput', `limit: ${limit} is not a whole number from 1 to ${MOST_RESULTS}.`);
}

/** A parsed query, as input of the ranking rules. */
export interface ParsedQuery {
  /** Distinct search terms without stop words. */
  readonly terms: readonly string[];
  /** Search terms that may also occur: of operators, and of neighbouring words that are written together. */
  readonly alsoTerms: readonly string[];
  /** True when the whole query is a name: `getUserName`, `Foo::bar`, `foo.bar`, `HTTP_PORT`. */
  readonly isSymbol: boolean;
  /** Identifiers in the query, in their spelling; the last part of a qualified name comes first. */
  readonly names: readonly string[];
  /** Kinds of files that the query asks for; these are not ranked lower. */
  readonly kinds: ReadonlySet<FileKind>;
}

const PART = String.raw`[\p{L}_$][\p{L}\p{N}_$]*[!?]?`;
const QUALIFIED = new RegExp(String.raw`^[@#]?${PART}(?:(?:::|->|[.#/\\])${PART})+(?:\(\))?$`, 'u');
const SINGLE = new RegExp(`^[@#]?${PART}(?:\\(\\))?$`, 'u');
/** An identifier that cannot be an ordinary word: capitals inside, an underscore, or digits between letters. */
const EMBEDDED = /^(?:\p{Lu}*\p{Ll}[\p{L}\p{N}]*\p{Lu}[\p{L}\p{N}]*|[\p{L}\p{N}]*_[\p{L}\p{N}_]*[\p{L}\p{N}])$/u;
/** Longer words are not matched, because the pattern takes quadratic time. */
const LONGEST_EMBEDDED = 256;
const CAPITALIZED = /^(?:\p{Lu}|_)/u;

/** Parses a query. */
export function readQuestion(query: string): ParsedQuery {
  const text = query.trim();
  const terms = queryStems(text);
  const operators = operatorsOf(text);
  const alsoTerms = [...nameTerms(operators), ...joinedStems(text)].filter((term) => !terms.includes(term));
  const kinds = requestedKinds(text);
  if (operators.length === 1 && terms.length === 0)
    return { terms, alsoTerms, isSymbol: true, names: operators, kinds };
  const isSymbol = QUALIFIED.test(text) || (SINGLE.test(text) && !isPlainWord(text));
  return { terms, alsoTerms, isSymbol, names: isSymbol ? namesOf(text) : embeddedNames(text), kinds };
}

/** True for words such as `session`, which may be a name or a topic. */
function isPlainWord(text: string): boolean {
  return !isEmbedded(text.replace(/^[@#]/, '')) && !CAPITALIZED.test(text) && !text.endsWith('()');
}

function isEmbedded(word: string): boolean {
  return word.length <= LONGEST_EMBEDDED && EMBEDDED.test(word);
}

/** `Foo::bar` searches for `bar`, and for `Foo` if that is not found. */
function namesOf(symbol: string): string[] {
  const parts = symbol.match(/[\p{L}_$][\p{L}\p{N}_$]*[!?]?/gu) ?? [];
  return [...new Set(parts.toReversed())];
}

function embeddedNames(text: string): string[] {
  const words = text.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? [];
  return [...new Set(words.filter(isEmbedded))];
}

/** Matches whole words, not stems: the stem of `documentation` is also that of `document`. */
function requestedKinds(text: string): ReadonlySet<FileKind> {
  const words = new Set((text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => word.replace(/s$/, '')));
  const asked = FILE_KINDS.filter((rule) => rule.words.some((word) => words.has(word.replace(/s$/, ''))));
  return new Set(asked.map(({ kind }) => kind));
}

/** The stems of an identifier's words, without the stem of all of them together. */
export function wordsOf(identifier: string): readonly string[] {
  if (!ONE_IDENTIFIER.test(identifier)) return splitIdentifier(identifier).flatMap((word) => stems(word).slice(0, 1));
  // cached there; the stem of the whole identifier is last
  const terms = stems(identifier);
  return terms.length > 1 ? terms.slice(0, -1) : terms;
}

const ONE_IDENTIFIER = /^[A-Za-z0-9_]+$/;
