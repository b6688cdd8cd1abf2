import type { Pattern } from '../../../domain/git/pattern.ts';
import type { Head } from '../../../domain/git/head.ts';
import type { Repository, RepositoryAddress } from '../../../domain/git/repository.ts';
import type { LonghaulError } from '../../../domain/shared/failures.ts';

/** One place where repositories are found. */
export interface Provider {
  readonly name: string;
  /**
   * At least every repository that the patterns mean. Throws `AuthenticationFailed`, `RateLimited`, `DiscoveryFailed`; an
   * empty list always means that there is nothing.
   */
  list(patterns: readonly Pattern[], signal?: AbortSignal): Promise<Repository[]>;
  /** As `list`, and where HEADs are, of those repositories for which that needs fewer requests than asking for both. */
  listWithHeads?(patterns: readonly Pattern[], signal?: AbortSignal): Promise<ListedRepository[]>;
  /** The repository with this name; null when there is none. */
  find(name: RepositoryName, signal?: AbortSignal): Promise<Repository | null>;
  /**
   * Where repositories are now that had these names, in order: under the same name, or under another one where the provider
   * knows of renames; null for one that it has no more.
   */
  locate(wanted: readonly SoughtRepository[], signal?: AbortSignal): Promise<(Repository | null)[]>;
  /**
   * Where HEAD of these repositories is, by id, where the provider can tell that of many at once; git is asked about those that
   * are missing. One that it refuses to show is an entry with its failure.
   */
  heads?(
    repositories: readonly RepositoryAddress[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, Head | LonghaulError>>;
  /** Lets git speak to the provider when its turn has come. Missing where nobody counts. */
  turn?<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result>;
  /** Lines of git configuration that let git in. They hold secrets: never on a command line. */
  credentials(): Promise<readonly (readonly [key: string, value: string])[]>;
}

/** A repository, and where its HEAD is when the listing said that as well. */
export interface ListedRepository extends Repository {
  /** Where HEAD is. @default the listing does not say */
  readonly head?: Head;
}

/** A repository's id without its provider. */
export type RepositoryName = Pick<Repository, 'organization' | 'project' | 'repository'>;

/** A name that a repository had, and what it kept when it was renamed. */
export type SoughtRepository = RepositoryName & Pick<Repository, 'uid'>;
