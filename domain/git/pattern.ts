import { LonghaulError } from '../shared/failures.ts';
import { isRepositoryId } from './repository.ts';

/**
 * Selects repositories, in mgit's query language: `organization/project/repository`, at most three segments,
 * case-insensitive. `*` matches any characters, `?` one; a segment without either also matches as a prefix.
 *
 * - One segment is a repository name (`api` matches in any organization and project), two are organization and
 *   repository.
 * - The project segment is ignored for repositories without a project, such as GitHub's.
 * - It may start with the exact name of a provider: `work/acme/*`, `work/acme/platform/api-?`. Then segments do not
 *   match as prefixes, so the id of a repository is a pattern for exactly that repository.
 */
export interface Pattern {
  /** As written by the user. */
  readonly text: string;
  /** The provider that the pattern is restricted to, in lower case; null for all. */
  readonly provider: string | null;
  /** Lower-case wildcard expression for the organization. */
  readonly organization: string;
  /** Lower-case wildcard expression for the project; null when the pattern matches only repositories without one. */
  readonly project: string | null;
  /** Lower-case wildcard expression for the repository's name. */
  readonly repository: string;
}

const ALLOWED = /^[A-Za-z0-9*?/\-_.: ]+$/;

/**
 * Parses a pattern. `providers` are the names of the configured providers: a pattern of three or four segments that
 * begins with one of them is restricted to that provider. Throws `InvalidInput`.
 */
export function parsePattern(text: string, providers: readonly string[] = []): Pattern {
  const segments = text.toLowerCase().split('/');
  const [first = ''] = segments;
  const named = segments.length >= 3 && providers.some((name) => name.toLowerCase() === first);
  const ofId = named || (segments.length === 4 && !hasWildcard(first));
  // the id of a folder may have any characters that a path may have
  const isLegal = ALLOWED.test(text) || (named && isRepositoryId(text));
  if (!isLegal || segments.some((segment) => segment.trim() === '') || segments.length > (ofId ? 4 : 3)) {
    throw new LonghaulError(
      'InvalidInput',
      `The pattern ${JSON.stringify(text.slice(0, 200))} is not organization/project/repository: use one to three segments ` +
        'of letters, digits, dot, dash, underscore, colon, space and the wildcards * and ?, or the id of a repository.',
    );
  }
  if (ofId) {
    const [organization = '', project, repository] = segments.slice(1);
    return repository === undefined
      ? { text, provider: first, organization, project: hasWildcard(text) ? '*' : null, repository: project ?? '' }
      : { text, provider: first, organization, project: project ?? '', repository };
  }
  const [repository = '', second = '*', third] = segments.toReversed();
  return third === undefined
    ? { text, provider: null, organization: second, project: '*', repository }
    : { text, provider: null, organization: third, project: second, repository };
}

/** True when the pattern matches the repository with this id. */
export function matchesPattern(pattern: Pattern, id: string): boolean {
  const lower = id.toLowerCase();
  if (pattern.text.toLowerCase() === lower) return true;
  const [provider = '', organization = '', ...rest] = lower.split('/');
  const project = rest.length > 1 ? (rest[0] ?? null) : null;
  return (
    (pattern.provider === null || pattern.provider === provider) &&
    matchesSegment(pattern, pattern.organization, organization) &&
    matchesProject(pattern, project) &&
    matchesSegment(pattern, pattern.repository, rest.at(-1) ?? '')
  );
}

/** True when at least one of the patterns matches the repository with this id. */
export function matchesAny(patterns: readonly Pattern[], id: string): boolean {
  return patterns.some((pattern) => matchesPattern(pattern, id));
}

/**
 * A function that matches ids against patterns where `ids` are all the ids there are. A pattern that is one of them
 * matches only that one, although patterns are case-insensitive: folders and some forges distinguish `API` and `api`.
 */
export function matcherAmong(patterns: readonly Pattern[], ids: Iterable<string>): (id: string) => boolean {
  const known = new Set(ids);
  return (id) =>
    patterns.some((pattern) => (known.has(pattern.text) ? pattern.text === id : matchesPattern(pattern, id)));
}

/**
 * True when some repository can match both patterns. Two patterns that name different projects are meant for a forge
 * that has projects and do not overlap, although both match repositories without a project.
 */
export function patternsOverlap(a: Pattern, b: Pattern): boolean {
  const overlaps = (left: string, right: string): boolean =>
    canMatchBoth(expressionOf(a, left), expressionOf(b, right));
  const sameProject = (): boolean =>
    a.project === null || b.project === null
      ? matchesProject(a, null) && matchesProject(b, null)
      : overlaps(a.project, b.project);
  // the segment that differs most often first
  return (
    (a.provider === null || b.provider === null || a.provider === b.provider) &&
    overlaps(a.repository, b.repository) &&
    overlaps(a.organization, b.organization) &&
    sameProject()
  );
}

/** True when the pattern can match repositories of this organization. */
export function matchesOrganization(pattern: Pattern, organization: string): boolean {
  return matchesSegment(pattern, pattern.organization, organization.toLowerCase());
}

/** True when a segment of a pattern contains a wildcard. */
export function hasWildcard(segment: string): boolean {
  return /[*?]/.test(segment);
}

function isWildcard(character: string | undefined): boolean {
  return character === '*' || character === '?';
}

function matchesSegment(pattern: Pattern, segment: string, text: string): boolean {
  return matchesWildcards(expressionOf(pattern, segment), text);
}

/** A segment as a wildcard expression: without a wildcard it also matches as a prefix, except in an id. */
function expressionOf({ provider }: Pattern, segment: string): string {
  return provider === null && !hasWildcard(segment) ? `${segment}*` : segment;
}

/** Forges without projects ignore the segment, except in an id. */
function matchesProject(pattern: Pattern, project: string | null): boolean {
  if (project === null) return pattern.provider === null || pattern.project === null || pattern.project === '*';
  return pattern.project !== null && matchesSegment(pattern, pattern.project, project);
}

/**
 * True when the expression matches the text: `*` is any characters, `?` one. Backtracks only to the last `*`, so no
 * expression makes it slow.
 */
export function matchesWildcards(expression: string, text: string): boolean {
  const symbols = Array.from(expression);
  const given = Array.from(text);
  let star = -1;
  let resume = 0;
  let w = 0;
  for (let g = 0; g < given.length;) {
    if (symbols[w] === '*') {
      star = w++;
      resume = g;
    } else if (w < symbols.length && (symbols[w] === '?' || symbols[w] === given[g])) {
      w++;
      g++;
    } else if (star >= 0) {
      w = star + 1;
      g = ++resume;
    } else {
      return false;
    }
  }
  return symbols.slice(w).every((character) => character === '*');
}

/** True when some text matches both wildcard expressions: walks the pairs of positions that a common text can reach. */
function canMatchBoth(one: string, other: string): boolean {
  // most expressions differ before the first wildcard
  for (let at = 0; at < one.length && at < other.length && !isWildcard(one[at]) && !isWildcard(other[at]); at++) {
    if (one[at] !== other[at]) return false;
  }
  const seen = new Set<number>();
  const waiting: [number, number][] = [[0, 0]];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const [i, j] = at;
    if (i === one.length && j === other.length) return true;
    const key = i * (other.length + 1) + j;
    if (seen.has(key)) continue;
    seen.add(key);
    const [a, b] = [one[i], other[j]];
    if (a === '*') waiting.push([i + 1, j]);
    if (b === '*') waiting.push([i, j + 1]);
    if (a === undefined || b === undefined) continue;
    if (a === '*' && b !== '*') waiting.push([i, j + 1]);
    if (b === '*' && a !== '*') waiting.push([i + 1, j]);
    if (a === b || a === '?' || b === '?') waiting.push([i + 1, j + 1]);
  }
  return false;
}
