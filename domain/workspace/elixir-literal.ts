import { LonghaulError } from '../shared/failures.ts';

/** A literal of Elixir: atoms are texts, maps and keyword lists are objects. */
export type ElixirLiteral =
  | string
  | number
  | boolean
  | null
  | readonly ElixirLiteral[]
  | { readonly [key: string]: ElixirLiteral };

/** Nested deeper than this is no manifest. */
const MOST_LEVELS = 50;

const SPACE = /(?:\s|#[^\n]*)*/y;
const ATOM = /:([A-Za-z_][\w@]*[?!]?)/y;
const KEY = /([A-Za-z_][\w@]*[?!]?):(?=\s)/y;
const INTEGER = /-?\d[\d_]*(?![\w.])/y;
const WORD = /(?:true|false|nil)(?!\w)/y;
/** A text without interpolation. */
const TEXT = /"((?:[^"\\#]|\\[^]|#(?!\{))*)"/y;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', s: ' ', '0': '\0' };

/**
 * Reads a file of Elixir that consists of one literal: maps, lists, keyword lists, texts, atoms, whole numbers, `true`,
 * `false`, `nil`, and comments. Nothing is run. Anything that only Elixir itself could compute is refused with file and
 * line as `InvalidConfiguration`.
 */
export function parseElixirLiteral(text: string, file: string): ElixirLiteral {
  let at = 0;

  function refuse(what: string): never {
    const line = text.slice(0, at).split('\n').length;
    throw new LonghaulError('InvalidConfiguration', `${file}:${line}: ${what}`);
  }

  function take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found;
  }

  function takeText(expected: string): boolean {
    take(SPACE);
    if (!text.startsWith(expected, at)) return false;
    at += expected.length;
    return true;
  }

  /** The items up to `end`, and whether they have keys. */
  function items(end: string, level: number): { readonly key: string | null; readonly value: ElixirLiteral }[] {
    const found: { key: string | null; value: ElixirLiteral }[] = [];
    while (!takeText(end)) {
      if (found.length > 0 && !takeText(',')) refuse(`"," or "${end}" is missing here.`);
      if (takeText(end)) break;
      take(SPACE);
      const key = take(KEY)?.[1];
      if (key !== undefined) found.push({ key, value: literal(level) });
      else {
        const value = literal(level);
        if (end !== '}' || !takeText('=>')) found.push({ key: null, value });
        else if (typeof value === 'string') found.push({ key: value, value: literal(level) });
        else refuse('a key must be an atom or a text.');
      }
    }
    return found;
  }

  function asObject(found: readonly { key: string | null; value: ElixirLiteral }[]): ElixirLiteral {
    const seen = new Map<string, ElixirLiteral>();
    for (const { key, value } of found) {
      if (key === null) refuse('a key is missing here.');
      if (seen.has(key)) refuse(`the key ${key} is there twice.`);
      seen.set(key, value);
    }
    return Object.fromEntries(seen);
  }

  function literal(level: number): ElixirLiteral {
    if (level > MOST_LEVELS) refuse(`it has more than ${MOST_LEVELS} levels.`);
    if (takeText('%{')) return asObject(items('}', level + 1));
    if (takeText('[')) {
      const found = items(']', level + 1);
      return found.some(({ key }) => key !== null) ? asObject(found) : found.map(({ value }) => value);
    }
    const quoted = takeText(':"') ? (at--, take(TEXT)) : take(TEXT);
    if (quoted !== null) return (quoted[1] ?? '').replaceAll(/\\([^])/g, (_all, c: string) => ESCAPES[c] ?? c);
    const atom = take(ATOM)?.[1];
    if (atom !== undefined) return atom;
    const number = take(INTEGER)?.[0];
    if (number !== undefined) return Number(number.replaceAll('_', ''));
    const word = take(WORD)?.[0];
    if (word !== undefined) return word === 'nil' ? null : word === 'true';
    return refuse('this is computed, or no literal: only maps, lists, texts, atoms and numbers are read.');
  }

  const value = literal(0);
  take(SPACE);
  if (at < text.length) refuse('nothing may follow the first value.');
  return value;
}
