/**
 * Which repositories are meant, in mgit's query language: `organization/project/repository`, at most three segments, without
 * regard to case. `*` stands for any characters, `?` for one; a segment without either also matches as a prefix.
 *
 * - One segment is a repository name (`api` means any organization and project), two are organization and repository.
 * - The project segment counts only for repositories that have a project: GitHub knows none.
 * - In front may stand the exact name of a provider: `work/acme/*`, `work/acme/platform/api-?`. Nothing is a prefix of
 *   anything then, so that the id of a repository is the pattern of exactly that repository.
 */
export interface Pattern {
    /** As it was written. */
    readonly text: string;
    /** The provider that the pattern is restricted to, in lower case; null for all. */
    readonly provider: string | null;
    /** Lower-case wildcard expression for the organization. */
    readonly organization: string;
    /** Lower-case wildcard expression for the project; null when the pattern speaks of repositories without one. */
    readonly project: string | null;
    /** Lower-case wildcard expression for the repository's name. */
    readonly repository: string;
}
/**
 * Reads a pattern. `providers` are the names of the configured providers: a pattern of three or four segments that begins
 * with one of them means that provider. Throws `InvalidInput`.
 */
export declare function parsePattern(text: string, providers?: readonly string[]): Pattern;
/** True when the pattern means the repository with this id. */
export declare function matchesPattern(pattern: Pattern, id: string): boolean;
/** True when at least one of the patterns means the repository with this id. */
export declare function matchesAny(patterns: readonly Pattern[], id: string): boolean;
/** True when a segment of a pattern stands for more than itself. */
export declare function hasWildcard(segment: string): boolean;
