import { expand } from 'brace-expansion';
import { Minimatch } from 'minimatch';
import { LonghaulError } from '../shared/failures.ts';

/**
 * Selects files by their path in a repository: a path, a folder, or a glob (docs/patterns.md). `lib`, `lib/`, `/lib`,
 * `./lib` and `lib/**` all mean the folder. Brackets, braces, `!`, `@`, `+` and backslashes are glob syntax, unless a
 * file or folder has a name that contains them as written.
 */
export interface PathFilter {
  /** True for the paths that are selected. */
  readonly matches: (path: string) => boolean;
  /**
   * Expressions of Weaviate's operator `Like`, where `*` is any characters and `?` one: every selected path matches one
   * of them. Null when every path can be selected.
   */
  readonly likes: readonly string[] | null;
  /** True when every path that matches one of {@link likes} is selected. */
  readonly isExact: boolean;
}

/** The most alternatives in braces, multiplied. */
const MOST_ALTERNATIVES = 100;
const LONGEST = 4_096;
const MOST_AMBIGUOUS = 50;
/** Characters that are glob syntax in one name and part of another. */
const SYNTAX = /[()[\]{}!@+\\|]/;

/** A segment of a filter that can be glob syntax or a name, such as `(shop)` or `[id].*`. */
export interface AmbiguousSegment {
  readonly segment: string;
  /** True for the names that the segment means, if it is one. */
  readonly isName: (name: string) => boolean;
  /** An expression of Weaviate's operator `Like` that all these names match. */
  readonly like: string;
}

/**
 * The segments of a filter that can be glob syntax or a name. A caller looks for such names and gives
 * {@link parsePathFilter} the segments that it found. Throws `InvalidInput` for more than {@link MOST_AMBIGUOUS}.
 */
export function ambiguousSegments(text: string): AmbiguousSegment[] {
  const [first, ...others] = segmentsOf(text);
  // `!*.md` excludes; `!important.md` is a name if there is one
  const isExcluding = first?.startsWith('!') === true && /[*?]/.test(first);
  const candidates = new Set(first === undefined || isExcluding ? others : [first, ...others]);
  const ambiguous = [...candidates].filter((segment) => SYNTAX.test(segment));
  if (ambiguous.length > MOST_AMBIGUOUS) {
    throw refusal(text, `has more than ${MOST_AMBIGUOUS} folders with brackets, braces or the like: give fewer.`);
  }
  return ambiguous.map((segment) => {
    const literal = withoutSyntax(segment);
    return { segment, isName: matcher([literal]), like: likeOf(literal).like };
  });
}

/** Those of {@link ambiguousSegments} that are the name of a file or folder in one of these paths. */
export function segmentsThatAreNames(text: string, paths: readonly string[]): Set<string> {
  const ambiguous = ambiguousSegments(text);
  if (ambiguous.length === 0) return new Set();
  const names = [...new Set(paths.flatMap((path) => path.split('/')))];
  return new Set(ambiguous.filter(({ isName }) => names.some(isName)).map(({ segment }) => segment));
}

/**
 * Reads a filter. `names` are the segments of it that are names ({@link ambiguousSegments}), not glob syntax. Throws
 * `InvalidInput` for an empty or too long filter, and for one with more than {@link MOST_ALTERNATIVES} alternatives.
 */
export function parsePathFilter(text: string, names: ReadonlySet<string> = new Set()): PathFilter {
  if (text.trim() === '') throw refusal(text, 'is empty: give a path, a folder or a glob, or leave it out.');
  if (text.length > LONGEST) throw refusal(text, `has ${text.length} characters: give at most ${LONGEST}.`);
  const glob = segmentsOf(text)
    .map((segment) => (names.has(segment) ? withoutSyntax(segment) : withoutLastEscape(segment)))
    .join('/');
  const isExcluding = glob.startsWith('!') && !glob.startsWith('!(');
  // an escaped backslash must stay one
  const alternatives = expand((isExcluding ? glob.slice(1) : glob).replaceAll('\\\\', '\\\\\\\\'), {
    max: MOST_ALTERNATIVES + 1,
  });
  if (alternatives.length > MOST_ALTERNATIVES) {
    throw refusal(
      text,
      `has more than ${MOST_ALTERNATIVES} alternatives in braces: give fewer, or search several times.`,
    );
  }
  const globs = [...new Set(alternatives.map((each) => segmentsOf(each).join('/')))].flatMap(withFolder);
  const match = matcher(globs);
  if (isExcluding) return { matches: (path) => !match(path), likes: null, isExact: false };
  const likes = globs.map(likeOf);
  return {
    matches: match,
    likes: likes.some(({ like }) => like === '*') ? null : [...new Set(likes.map(({ like }) => like))],
    isExact: likes.every(({ isExact }) => isExact),
  };
}

function refusal(text: string, what: string): LonghaulError {
  return new LonghaulError('InvalidInput', `The path filter ${JSON.stringify(text.slice(0, 200))} ${what}`);
}

function matcher(globs: readonly string[]): (path: string) => boolean {
  // `dot`: names that begin with a dot are names
  const options = { dot: true, nobrace: true, nonegate: true, nocomment: true, platform: 'linux' } as const;
  const expressions = globs.map((glob) => new Minimatch(glob, options));
  return (path) => expressions.some((expression) => expression.match(path));
}

/** The segments of a filter, without what means the root or a folder: `./lib//a/` is `lib` and `a`. */
function segmentsOf(text: string): string[] {
  const kept = text.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (kept.length === 0) return ['**'];
  return text.endsWith('/') && /[*?]/.test(kept.at(-1) ?? '') ? [...kept, '**'] : kept;
}

/** A segment in which only `*` and `?` are not literal. */
function withoutSyntax(segment: string): string {
  return segment.replaceAll(/[()[\]{}!@+\\|]/g, String.raw`\$&`);
}

/** A backslash at the end has nothing to take the meaning from: it is part of the name. */
function withoutLastEscape(segment: string): string {
  const [escapes = ''] = /\\*$/.exec(segment) ?? [];
  return escapes.length % 2 === 0 ? segment : `${segment}\\`;
}

/** A path that ends with a name can be a file or a folder. `folder/**` is what is below the folder. */
function withFolder(glob: string): string[] {
  const below = glob.replace(/\/\*\*$/, '/**/*');
  const last = below.slice(below.lastIndexOf('/') + 1).replaceAll(/\\./gsu, '');
  return /[*?]/.test(last) ? [below] : [below, `${below}/**/*`];
}

/** What is selected by a part of a glob: `**` with its slash, `*`, `?`, other syntax, or the part itself. */
type Part = 'folders' | 'any' | 'one' | 'syntax' | 'slash' | 'literal';

/** The narrowest `Like` expression that all paths of a glob match, and whether only they do. */
function likeOf(glob: string): { like: string; isExact: boolean } {
  const parts = [...glob.matchAll(/\\.|\*\*\/|\*+|[^]/gsu)].map(([part]) => ({ part, kind: kindOf(part) }));
  const first = parts.findIndex(({ kind }) => kind === 'syntax');
  const last = parts.findLastIndex(({ kind }) => kind === 'syntax');
  const like = parts
    .map(({ part, kind }, at) => {
      // `?(a)` can be nothing
      const isInSyntax = first >= 0 && at >= first - 1 && at <= last;
      if (isInSyntax && (at >= first || kind === 'one')) return '*';
      if (kind === 'folders' || kind === 'any') return '*';
      return kind === 'one' ? '?' : part.replace(/^\\(?=.)/su, '');
    })
    .join('')
    .replaceAll(/\*+/g, '*');
  const shape = parts.map(({ kind }) => SHORT[kind]).join('');
  return { like, isExact: glob === '**' || /^(?:[L/]*|[L/]+FA|FAL*)$/.test(shape) };
}

/** One letter for each kind of part. */
const SHORT = { folders: 'F', any: 'A', one: 'O', syntax: 'S', slash: '/', literal: 'L' } as const;

function kindOf(part: string): Part {
  if (part === '**/') return 'folders';
  if (part.startsWith('*')) return 'any';
  // `Like` cannot express a literal `*`, `?` or backslash
  if (part === '?' || /^\\[*?\\]$/.test(part)) return 'one';
  if (part === '/') return 'slash';
  return SYNTAX.test(part) && !part.startsWith('\\') ? 'syntax' : 'literal';
}
