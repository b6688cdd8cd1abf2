import { stemmer } from 'stemmer';
import { writtenMarks, wordsWithoutSpaces, isUnspaced } from './unspaced.ts';
import { createWordMemory, unitsOf } from './word-memory.ts';

/** A vowel sign or tone mark that belongs to one script, not an accent or selector that any character can have. */
const MARK = String.raw`(?![\p{sc=Zinh}\p{sc=Zyyy}])\p{M}`;
const WORD = String.raw`[\p{L}\p{N}](?:[\p{L}\p{N}]|${MARK})*`;
/**
 * Runs of letters and digits: words of the index. Underscores and signs join the words of one identifier. Vowel signs,
 * which are part of a script, belong to the letter before them.
 */
const IDENTIFIER = new RegExp(`${WORD}(?:_+${WORD})*`, 'gu');
/** The words inside an identifier: `HTTPServer2` is HTTP, Server and 2. */
const PARTS = /\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|\p{N}+|[\p{Lt}\p{Lm}\p{Lo}][\p{Lt}\p{Lm}\p{Lo}\p{M}]*|\p{L}\p{M}*/gu;
const SIGN = 0;
const UNDERSCORE = 1;
const LOWER = 2;
const UPPER = 3;
const DIGIT = 4;
/** The kinds of ASCII characters: almost every character of source code is one. */
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (character === '_') return UNDERSCORE;
  if (/[a-z]/.test(character)) return LOWER;
  if (/[A-Z]/.test(character)) return UPPER;
  return /[0-9]/.test(character) ? DIGIT : SIGN;
});
const NON_ASCII = /[^\0-\x7f]/;
const ASCII_WORD = /^[a-z]+$/;
/** Longer words are hashes, keys or encoded data: useless for searches, and they would inflate the index. */
const LONGEST_WORD = 64;
const LONGEST_IDENTIFIER = 4 * LONGEST_WORD;
const MOST_MEMORIES = 50_000;

/** Words of a query that carry no information about code. */
const STOP_WORDS = new Set(
  (
    'a about all also am an and any are as at be been being between but by can could did do does doing find for from get gets ' +
    'give has have having how i if in into is it its itself like make makes may me my of on one or our out please show so ' +
    'some such than that the their them then there these they this those to us use used uses using want was way we were what ' +
    'when where whether which while who why will with would you your'
  ).split(' '),
);
const remembered = createWordMemory(termsOf, { most: MOST_MEMORIES, longest: LONGEST_IDENTIFIER });
// joining all terms of a chunk takes as long as finding them
const rememberedJoined = createWordMemory((identifier) => termsOf(identifier).join(' '), {
  most: MOST_MEMORIES,
  longest: LONGEST_IDENTIFIER,
});

/**
 * The words of an identifier, lower-cased, in order: `parseHTTPResponse2` is parse, http, response, 2; `MAX_BATCH` is
 * max, batch. An identifier of one word is itself.
 */
export function splitIdentifier(identifier: string): string[] {
  return (identifier.match(PARTS) ?? []).map((part) => part.toLowerCase());
}

/**
 * Inserts a space between the words of an identifier and leaves the rest unchanged, so that a model that knows English
 * words reads `getUserName` as three of them.
 */
export function spaceIdentifiers(text: string): string {
  const units = unitsOf(text);
  const words: string[] = [];
  let start = 0;
  let before = SIGN;
  for (let at = 0; at < text.length; at++) {
    const kind = KINDS[units[at] as number] ?? SIGN;
    if (kind === UPPER && (before === LOWER || before === DIGIT || (before === UPPER && isLower(text, at + 1)))) {
      words.push(text.slice(start, at));
      start = at;
    }
    before = kind;
  }
  words.push(text.slice(start));
  return words.join(' ');
}

/**
 * The search terms of a text, in order and with repetitions: for each identifier the stems of its words and, when there
 * are several, the stem of all of them written together (`getUserNames`: get, user, name, getusernam). Text in scripts
 * without spaces is split into words by a dictionary. Terms consist of letters and digits only, so a tokenizer that
 * splits on anything else keeps them whole.
 */
export function stems(text: string): string[] {
  const found: string[] = [];
  eachIdentifier(text, (units, start, end) => {
    for (const term of remembered.of(units, start, end)) found.push(term);
  });
  return found;
}

/** The search terms of a chunk's text, separated by spaces: its {@link stems}, and those of its operators. */
export function searchTerms(text: string): string {
  const found: string[] = [];
  eachIdentifier(text, (units, start, end) => {
    const terms = rememberedJoined.of(units, start, end);
    if (terms !== '') found.push(terms);
  });
  found.push(...operatorTerms(text));
  return found.join(' ');
}

/** Calls `add` with the position of each identifier of a text. */
function eachIdentifier(text: string, add: (units: Uint16Array, start: number, end: number) => void): void {
  if (NON_ASCII.test(text)) {
    for (const [identifier] of text.normalize('NFC').matchAll(IDENTIFIER))
      add(unitsOf(identifier), 0, identifier.length);
    return;
  }
  const units = unitsOf(text);
  let start = -1;
  let end = 0;
  for (let at = 0; at < text.length; at++) {
    const kind = KINDS[units[at] as number] as number;
    if (kind >= LOWER) {
      if (start < 0) start = at;
      end = at + 1;
    } else if (kind === SIGN && start >= 0) {
      add(units, start, end);
      start = -1;
    }
  }
  if (start >= 0) add(units, start, end);
}

const OPERATOR_RUN = /[!#$%&*+./:<=>?@^|~\\-]{2,}/g;
const OPERATOR = /^[!#$%&*+./:<=>?@^|~\\-]{1,3}$/;
/** An operator in a query stands alone, or in quotes or brackets: `--help` and `and/or` contain none. */
const OPERATOR_ALONE = /(?<![^\s"'`(])[!#$%&*+./:<=>?@^|~\\-]{1,3}(?![^\s"'`),;?.])/g;
const LONGEST_OPERATOR = 3;
/** Comments and ellipses. */
const NO_OPERATORS = new Set(['//', '///', '/*', '*/', '/**', '**/', '##', '###', '--', '---', '..', '...', '***']);

/**
 * The search terms of the operators of two or three signs in a text, each once: letters and digits that stand for the
 * signs, because a tokenizer drops signs.
 */
export function operatorTerms(text: string): string[] {
  const runs = new Set<string>();
  for (const run of text.match(OPERATOR_RUN) ?? []) if (run.length <= LONGEST_OPERATOR) runs.add(run);
  return Array.from(runs).flatMap((run) => (NO_OPERATORS.has(run) ? [] : [operatorTerm(run)]));
}

/** The operators in a query, without repetitions. */
export function operatorsOf(query: string): string[] {
  return [...new Set(Array.from(query.matchAll(OPERATOR_ALONE), ([signs]) => signs))].filter(
    (signs) => !NO_OPERATORS.has(signs),
  );
}

/** The search term of a name: the stem of all its words together, or the term of an operator. */
export function nameTerm(name: string): string | undefined {
  return OPERATOR.test(name) ? operatorTerm(name) : stems(name).at(-1);
}

/** The search terms of the names of definitions, in order and with repetitions. */
export function nameTerms(names: readonly string[]): string[] {
  return names.flatMap((name) => (OPERATOR.test(name) ? [operatorTerm(name)] : stems(name)));
}

/** By operator: at most as many as three signs have combinations. */
const operatorMemory = new Map<string, string>();

/** `=>` is op3d3e. */
function operatorTerm(signs: string): string {
  const known = operatorMemory.get(signs);
  if (known !== undefined) return known;
  const term = `op${Array.from(signs, (sign) => sign.charCodeAt(0).toString(16)).join('')}`;
  operatorMemory.set(signs, term);
  return term;
}

/**
 * The stems of neighbouring words of a query written together, because a name may do so: of `thread pool`, threadpool.
 */
export function joinedStems(query: string): string[] {
  const found = new Set<string>();
  let before: string | undefined;
  for (const [token] of query.matchAll(/[\p{L}\p{N}]+|[^\p{L}\p{N}\s-]/gu)) {
    const isWord = /^[\p{L}\p{N}]/u.test(token) && !STOP_WORDS.has(token.toLowerCase());
    const word = isWord ? token.toLowerCase() : undefined;
    if (word !== undefined && before !== undefined) for (const term of stems(before + word)) found.add(term);
    before = word;
  }
  return [...found];
}

/**
 * The search terms of a query: {@link stems} without repetitions and stop words. A query of only stop words keeps them.
 */
export function queryStems(query: string): string[] {
  const meaningful = query.replaceAll(/[\p{L}\p{N}_']+/gu, (word) => (STOP_WORDS.has(word.toLowerCase()) ? ' ' : word));
  const terms = stems(meaningful);
  return [...new Set(terms.length > 0 ? terms : stems(query))];
}

function termsOf(identifier: string): readonly string[] {
  if (isUnspaced(identifier)) {
    return wordsWithoutSpaces(identifier).flatMap((word) => termsOfParts(splitIdentifier(word)));
  }
  return identifier.length > LONGEST_IDENTIFIER ? [] : termsOfParts(splitIdentifier(identifier));
}

function termsOfParts(parts: readonly string[]): string[] {
  const words = parts.length > 1 ? [...parts, parts.join('')] : parts;
  return words.filter((word) => word.length <= LONGEST_WORD).map((word) => writtenMarks(stem(word)));
}

function stem(word: string): string {
  return ASCII_WORD.test(word) ? stemmer(word) : word;
}

function isLower(text: string, at: number): boolean {
  return at < text.length && KINDS[text.charCodeAt(at)] === LOWER;
}
