import { stemmer } from 'stemmer';

/** Runs of letters and digits: what the index calls a word. Underscores and signs join the words of one identifier. */
const IDENTIFIER = /[\p{L}\p{N}]+(?:_+[\p{L}\p{N}]+)*/gu;
/** The same for the text that nearly all source code is, which is much faster. */
const ASCII_IDENTIFIER = /[a-zA-Z0-9]+(?:_+[a-zA-Z0-9]+)*/g;
/** The words inside an identifier: `HTTPServer2` is HTTP, Server and 2. */
const PARTS = /\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|\p{N}+|[\p{Lt}\p{Lm}\p{Lo}]+|\p{L}/gu;
const NON_ASCII = /[^\0-\x7f]/;
const ASCII_WORD = /^[a-z]+$/;
/** A longer word is a hash, a key or encoded data: nobody searches for it, and it would swell the index. */
const LONGEST_WORD = 64;
const MOST_MEMORIES = 50_000;

/** Words of a question that say nothing about the code that answers it. */
const STOP_WORDS = new Set(
  (
    'a about all also am an and any are as at be been being between but by can could did do does doing find for from get gets ' +
    'give has have having how i if in into is it its itself like make makes may me my of on one or our out please show so ' +
    'some such than that the their them then there these they this those to us use used uses using want was way we were what ' +
    'when where whether which while who why will with would you your'
  ).split(' '),
);
const memory = new Map<string, readonly string[]>();

/**
 * The words of an identifier, lower-cased, in order: `parseHTTPResponse2` is parse, http, response, 2; `MAX_BATCH` is max,
 * batch. An identifier of one word is itself.
 */
export function splitIdentifier(identifier: string): string[] {
  return (identifier.match(PARTS) ?? []).map((part) => part.toLowerCase());
}

/**
 * Puts a space wherever an identifier's words meet and leaves everything else as it is, so that a model that knows English
 * words reads `getUserName` as three of them.
 */
export function spaceIdentifiers(text: string): string {
  return text.replaceAll(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, ' ');
}

/**
 * The search terms of a text, in order and with repetitions: for each identifier the stems of its words and, when there are
 * several, the stem of all of them written together (`getUserNames`: get, user, name, getusernam). Terms consist of letters
 * and digits only, so a tokenizer that splits on anything else keeps them whole.
 */
export function stems(text: string): string[] {
  const terms: string[] = [];
  const identifiers = NON_ASCII.test(text) ? text.normalize('NFC').match(IDENTIFIER) : text.match(ASCII_IDENTIFIER);
  for (const identifier of identifiers ?? []) {
    for (const term of termsOf(identifier)) terms.push(term);
  }
  return terms;
}

/**
 * The search terms of a question: {@link stems} without repetitions and without the words that only make it a sentence. A
 * question of nothing but such words keeps them.
 */
export function queryStems(query: string): string[] {
  const meaningful = query.replaceAll(/[\p{L}\p{N}_']+/gu, (word) => (STOP_WORDS.has(word.toLowerCase()) ? ' ' : word));
  const terms = stems(meaningful);
  return [...new Set(terms.length > 0 ? terms : stems(query))];
}

function termsOf(identifier: string): readonly string[] {
  const known = memory.get(identifier);
  if (known) return known;
  if (identifier.length > 4 * LONGEST_WORD) return [];
  const terms = termsOfParts(splitIdentifier(identifier));
  if (memory.size >= MOST_MEMORIES) memory.clear();
  // spelled anew, because a slice would keep the whole text alive that it was cut from
  memory.set(Array.from(identifier).join(''), terms);
  return terms;
}

function termsOfParts(parts: readonly string[]): string[] {
  const words = parts.length > 1 ? [...parts, parts.join('')] : parts;
  return words.filter((word) => word.length <= LONGEST_WORD).map(stem);
}

function stem(word: string): string {
  return ASCII_WORD.test(word) ? stemmer(word) : word;
}
