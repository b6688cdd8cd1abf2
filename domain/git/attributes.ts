/** What a repository's `.gitattributes` declare about a file; undefined where they declare nothing. */
export interface Declared {
  /** `linguist-vendored` */
  readonly vendored?: boolean;
  /** `linguist-generated` */
  readonly generated?: boolean;
  /** git's macro `binary` */
  readonly binary?: boolean;
}

/** One line of a `.gitattributes` file, reduced to the attributes that Longhaul uses. */
export interface AttributeRule {
  readonly pattern: AttributePattern;
  /** Undefined resets what an earlier rule declared (`!attribute`). */
  readonly declares: { readonly [Name in keyof Declared]: boolean | undefined };
}

/** A compiled pattern of a `.gitattributes` line. */
export interface AttributePattern {
  /**
   * True for a pattern with a slash, which is matched against the whole path below the file's folder; otherwise only
   * the name is matched.
   */
  readonly anchored: boolean;
  readonly tokens: readonly Token[];
}

type Token =
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'one' }
  | { readonly kind: 'set'; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] }
  /** Any characters except a slash. */
  | { readonly kind: 'star' }
  /** Any number of whole folders, with the following slash. */
  | { readonly kind: 'folders' }
  /** Everything below. */
  | { readonly kind: 'rest' };

const NAMES = new Map<string, keyof Declared>([
  ['linguist-vendored', 'vendored'],
  ['linguist-generated', 'generated'],
  ['binary', 'binary'],
]);

/** Git ignores longer lines. */
const LONGEST_LINE = 2_048;

/**
 * Parses one `.gitattributes` file as gitattributes(5) specifies. Lines that git rejects are skipped, as in git. Rules
 * without an attribute of {@link Declared} are left out. Macros (`[attr]name …`) apply in the file that defines them.
 */
export function parseAttributes(text: string): readonly AttributeRule[] {
  const macros = new Map<string, readonly string[]>();
  const rules: AttributeRule[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line.length > LONGEST_LINE) continue;
    const [first, words] = splitPattern(line.trim());
    if (first === '' || first.startsWith('#')) continue;
    if (first.startsWith('[attr]')) {
      macros.set(first.slice('[attr]'.length), words);
      continue;
    }
    const pattern = first.startsWith('!') ? null : compilePattern(first);
    const declares = declaredBy(words.flatMap((word) => [word, ...(macros.get(word) ?? [])]));
    if (pattern !== null && Object.keys(declares).length > 0) rules.push({ pattern, declares });
  }
  return rules;
}

/** What the files at `folders` declare for `path`: later lines win over earlier ones, deeper files over those above. */
export function declaredFor(path: string, files: ReadonlyMap<string, readonly AttributeRule[]>): Declared {
  const declared: { -readonly [Name in keyof Declared]: boolean } = {};
  if (files.size === 0) return declared;
  for (const folder of foldersOf(path)) {
    const below = folder === '' ? path : path.slice(folder.length + 1);
    for (const rule of files.get(folder) ?? []) {
      if (!matchesAttributePattern(rule.pattern, below)) continue;
      for (const name of NAMES.values()) {
        if (!(name in rule.declares)) continue;
        const value = rule.declares[name];
        if (value === undefined) delete declared[name];
        else declared[name] = value;
      }
    }
  }
  return declared;
}

/** The folders that contain a path, outermost first, starting with the root (the empty string). */
export function foldersOf(path: string): readonly string[] {
  const folders = [''];
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1))
    folders.push(path.slice(0, slash));
  return folders;
}

/** True when a pattern in a folder's `.gitattributes` matches the file at `path` below that folder. */
function matchesAttributePattern(pattern: AttributePattern, path: string): boolean {
  return matchesTokens(pattern.tokens, pattern.anchored ? path : path.slice(path.lastIndexOf('/') + 1));
}

function declaredBy(words: readonly string[]): AttributeRule['declares'] {
  const declares: { -readonly [Name in keyof Declared]: boolean | undefined } = {};
  for (const word of words) {
    const bare = word.replace(/^[-!]/, '');
    const name = NAMES.get(bare.split('=')[0] ?? '');
    if (name === undefined) continue;
    if (word.startsWith('!')) declares[name] = undefined;
    else declares[name] = !word.startsWith('-') && !/=false$/i.test(word);
  }
  return declares;
}

/** Splits a line into the pattern, which may be a quoted C string, and the words after it. */
function splitPattern(line: string): [string, readonly string[]] {
  const quoted = /^"((?:[^"\\]|\\.)*)"(?=\s|$)/.exec(line);
  const first = quoted ? unquote(quoted[1] ?? '') : (/^\S+/.exec(line)?.[0] ?? '');
  const rest = line.slice(quoted ? quoted[0].length : first.length);
  return [first, rest.split(/\s+/).filter((word) => word !== '')];
}

const ESCAPES: Readonly<Record<string, string>> = { a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function unquote(text: string): string {
  const bytes = text.replace(/\\([0-3][0-7]{2}|.)/g, (_, escape: string) =>
    escape.length === 3 ? String.fromCodePoint(Number.parseInt(escape, 8)) : (ESCAPES[escape] ?? escape),
  );
  if (!/\\[0-3][0-7]{2}/.test(text)) return bytes;
  const raw = Uint8Array.from(bytes, (character) => character.codePointAt(0) ?? 0);
  return new TextDecoder().decode(raw);
}

/** Null for a pattern that matches only folders: `.gitattributes` does not use those. */
function compilePattern(text: string): AttributePattern | null {
  if (text.endsWith('/')) return null;
  const anchored = text.includes('/');
  const tokens = tokenize(text.startsWith('/') ? text.slice(1) : text, anchored);
  return tokens && { anchored, tokens };
}

function tokenize(text: string, anchored: boolean): readonly Token[] | null {
  const tokens: Token[] = [];
  for (let i = 0; i < text.length;) {
    const character = text.charAt(i);
    if (character === '*') {
      const stars = /^\*+/.exec(text.slice(i))?.[0].length ?? 1;
      const after = text.charAt(i + stars);
      const bounded = anchored && stars >= 2 && (i === 0 || text.charAt(i - 1) === '/');
      if (bounded && after === '/') tokens.push({ kind: 'folders' });
      else tokens.push({ kind: bounded && after === '' ? 'rest' : 'star' });
      i += stars + (bounded && after === '/' ? 1 : 0);
    } else if (character === '?') {
      tokens.push({ kind: 'one' });
      i++;
    } else if (character === '[') {
      const set = readSet(text, i);
      if (set === null) return null;
      tokens.push(set.token);
      i = set.end;
    } else {
      const escaped = character === '\\';
      if (escaped && i + 1 >= text.length) return null;
      tokens.push({ kind: 'character', character: escaped ? text.charAt(i + 1) : character });
      i += escaped ? 2 : 1;
    }
  }
  return tokens;
}

const CLASSES: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  alnum: [
    ['0', '9'],
    ['A', 'Z'],
    ['a', 'z'],
  ],
  alpha: [
    ['A', 'Z'],
    ['a', 'z'],
  ],
  blank: [
    [' ', ' '],
    ['\t', '\t'],
  ],
  cntrl: [
    ['\0', '\u001f'],
    ['\u007f', '\u007f'],
  ],
  digit: [['0', '9']],
  graph: [['!', '~']],
  lower: [['a', 'z']],
  print: [[' ', '~']],
  punct: [
    ['!', '/'],
    [':', '@'],
    ['[', '`'],
    ['{', '~'],
  ],
  space: [
    [' ', ' '],
    ['\t', '\r'],
  ],
  upper: [['A', 'Z']],
  xdigit: [
    ['0', '9'],
    ['A', 'F'],
    ['a', 'f'],
  ],
};

/** Reads the bracket expression at `start`; null if it is not closed, which in git matches nothing. */
function readSet(text: string, start: number): { token: Token; end: number } | null {
  let i = start + 1;
  const negated = text.charAt(i) === '!' || text.charAt(i) === '^';
  if (negated) i++;
  const ranges: (readonly [string, string])[] = [];
  for (let first = true; first || text.charAt(i) !== ']'; first = false) {
    if (i >= text.length) return null;
    const named = /^\[:([a-z]*):\]/.exec(text.slice(i));
    if (named) {
      const known = CLASSES[named[1] ?? ''];
      if (!known) return null;
      ranges.push(...known);
      i += named[0].length;
      continue;
    }
    if (text.charAt(i) === '\\') i++;
    const low = text.charAt(i++);
    if (text.charAt(i) !== '-' || text.charAt(i + 1) === ']' || i + 1 >= text.length) {
      ranges.push([low, low]);
      continue;
    }
    i++;
    if (text.charAt(i) === '\\') i++;
    ranges.push([low, text.charAt(i++)]);
  }
  return { token: { kind: 'set', negated, ranges }, end: i + 1 };
}

/** Backtracks only to the last `*` and the last `**`, so a hostile pattern cannot make it slow. */
function matchesTokens(tokens: readonly Token[], path: string): boolean {
  let star = -1;
  let starAt = 0;
  let folders = -1;
  let foldersAt = 0;
  let t = 0;
  for (let i = 0; i < path.length;) {
    const token = tokens[t];
    if (token?.kind === 'rest') return true;
    if (token?.kind === 'folders') {
      folders = t++;
      foldersAt = i;
      star = -1;
    } else if (token?.kind === 'star') {
      star = t++;
      starAt = i;
    } else if (token && matchesCharacter(token, path.charAt(i))) {
      t++;
      i++;
    } else if (star >= 0 && path.charAt(starAt) !== '/') {
      t = star + 1;
      i = ++starAt;
    } else {
      const slash = folders < 0 ? -1 : path.indexOf('/', foldersAt);
      if (slash < 0) return false;
      t = folders + 1;
      i = foldersAt = slash + 1;
      star = -1;
    }
  }
  return tokens.slice(t).every((token) => token.kind === 'star');
}

function matchesCharacter(token: Token, character: string): boolean {
  switch (token.kind) {
    case 'character':
      return token.character === character;
    case 'one':
      return character !== '/';
    case 'set':
      return (
        character !== '/' && token.ranges.some(([low, high]) => low <= character && character <= high) !== token.negated
      );
    default:
      return false;
  }
}
