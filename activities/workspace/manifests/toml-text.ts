import { parse, TomlError, type TomlTableWithoutBigInt } from 'smol-toml';
import { DEEPEST_NESTING } from './limits.ts';
import type { ManifestFiles } from './manifest-files.ts';
import { linesOf } from './text-lines.ts';

/** A TOML file: its values, and where they are written. */
export interface TomlText {
  readonly values: TomlTableWithoutBigInt;
  /** The line of a key or array element, from 1; of the closest one above it where it has none of its own. */
  lineOf(path: TomlPath): number;
  /** The text of a value, or of the lines that make a table; empty where there is none. */
  rawOf(path: TomlPath): string;
}

/** Keys, and indices of arrays, from the root of a file. */
export type TomlPath = readonly (string | number)[];

/** Parses a TOML 1.0 file. Reports a syntax error, to which keys that are given twice belong, and gives null. */
export function parseToml(files: ManifestFiles, file: string, content: string): TomlText | null {
  // as Cargo does
  const text = content.replace(/^\ufeff/, '');
  let values;
  try {
    values = parse(text, { maxDepth: DEEPEST_NESTING });
  } catch (error) {
    // a key with very many dots recurses in the parser
    const line = error instanceof TomlError ? error.line : null;
    const what = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    files.report('syntax', file, line, `This is not valid TOML: ${what.replace(/^Invalid TOML document: /, '')}.`);
    return null;
  }
  const lines = linesOf(text);
  const places = placesIn(text);
  if (!(places instanceof Map)) {
    const message = `A key has more than ${DEEPEST_NESTING} parts.`;
    files.report('syntax', file, lines.lineAt(places.tooDeep), message);
    return null;
  }
  return {
    values,
    lineOf(path) {
      for (let length = path.length; length > 0; length--) {
        const place = places.get(keyOf(path.slice(0, length)));
        if (place !== undefined) return lines.lineAt(place.start);
      }
      return 1;
    },
    rawOf(path) {
      const place = places.get(keyOf(path));
      return place === undefined ? '' : text.slice(place.valueStart, place.end);
    },
  };
}

interface Place {
  readonly start: number;
  readonly valueStart: number;
  end: number;
}

function keyOf(path: TomlPath): string {
  return JSON.stringify(path);
}

const SPACE = /[ \t]*/y;
const TRIVIA = /(?:[ \t\r\n]|#[^\n]*)*/y;
const KEY = /"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+/y;
const STRING = /"""(?:[^\\]|\\[^])*?"{3,5}|'''[^]*?'{3,5}|"(?:[^"\\]|\\.)*"|'[^']*'/y;
const OTHER = /[^,\]}\r\n#]*/y;

/**
 * Where keys and elements are in a text that is known to be valid TOML; always advances, whatever the text. Or the
 * offset of a key with more parts than are read.
 */
function placesIn(text: string): Map<string, Place> | { readonly tooDeep: number } {
  const places = new Map<string, Place>();
  let at = 0;
  /** The keys of the last header. */
  let table: (string | number)[] = [];
  const repeated = new Map<string, number>();
  let tooDeep: number | null = null;

  function take(pattern: RegExp): string {
    pattern.lastIndex = at;
    const [found = ''] = pattern.exec(text) ?? [];
    at += found.length;
    return found;
  }

  function takeKeys(): string[] {
    const keys: string[] = [];
    for (;;) {
      take(SPACE);
      const key = take(KEY);
      keys.push(key.startsWith("'") ? key.slice(1, -1) : key.startsWith('"') ? textOfString(key) : key);
      take(SPACE);
      if (text[at] !== '.') return keys;
      at++;
      if (keys.length === DEEPEST_NESTING) tooDeep ??= at;
      if (keys.length >= DEEPEST_NESTING) keys.pop();
    }
  }

  /** Remembers a place; a table that is written in several parts has the place of the first, up to the last. */
  function put(path: TomlPath, start: number, valueStart: number, end: number): void {
    const key = keyOf(path);
    const known = places.get(key);
    if (known === undefined) places.set(key, { start, valueStart, end });
    else known.end = Math.max(known.end, end);
  }

  function takeValue(path: TomlPath): void {
    const char = text[at];
    if (char === '[') {
      at++;
      for (let index = 0; ; index++) {
        take(TRIVIA);
        if (text[at] === ']' || at >= text.length) break;
        const start = at;
        takeValue([...path, index]);
        put([...path, index], start, start, at);
        take(TRIVIA);
        if (text[at] === ',' || at === start) at++;
      }
      at++;
    } else if (char === '{') {
      at++;
      for (;;) {
        take(TRIVIA);
        if (text[at] === '}' || at >= text.length) break;
        takePair(path);
        take(TRIVIA);
        if (text[at] === ',') at++;
      }
      at++;
    } else if (char === '"' || char === "'") take(STRING);
    else {
      const other = take(OTHER);
      at -= other.length - other.trimEnd().length;
    }
  }

  function takePair(prefix: TomlPath): void {
    const start = at;
    const keys = takeKeys();
    at++;
    take(SPACE);
    const valueStart = at;
    takeValue([...prefix, ...keys]);
    put([...prefix, ...keys], start, valueStart, at);
    for (let length = 1; length < keys.length; length++) put([...prefix, ...keys.slice(0, length)], start, start, at);
  }

  for (;;) {
    take(TRIVIA);
    if (tooDeep !== null) return { tooDeep };
    if (at >= text.length) return places;
    const start = at;
    if (text[at] === '[') {
      const isList = text[at + 1] === '[';
      at += isList ? 2 : 1;
      table = takeKeys();
      at += isList ? 2 : 1;
      if (isList) {
        const key = keyOf(table);
        const index = repeated.get(key) ?? 0;
        repeated.set(key, index + 1);
        table = [...table, index];
      }
      put(table, start, start, at);
    } else {
      takePair(table);
      const header = places.get(keyOf(table));
      if (header !== undefined) header.end = at;
    }
  }
}

/** The content of a basic string on one line. */
function textOfString(token: string): string {
  return token
    .slice(1, -1)
    .replaceAll(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/g, (_, short?: string, long?: string, char = '') => {
      const code = short ?? long;
      if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
      return ESCAPES[char as string] ?? (char as string);
    });
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', e: '\u001b' };
