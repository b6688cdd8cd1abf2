import type { Pattern } from '../../../domain/catalog/pattern.ts';
import type { Repository } from '../../../domain/catalog/repository.ts';

/** One place where repositories are found. */
export interface Provider {
  readonly name: string;
  /**
   * At least every repository that the patterns mean. Throws `AuthenticationFailed`, `RateLimited`, `DiscoveryFailed`; an
   * empty list always means that there is nothing.
   */
  list(patterns: readonly Pattern[], signal?: AbortSignal): Promise<Repository[]>;
  /** The repository with this name; null when there is none. */
  find(name: RepositoryName, signal?: AbortSignal): Promise<Repository | null>;
  /**
   * Where repositories are now that had these names, in order: under the same name, or under another one where the provider
   * knows of renames; null for one that it has no more.
   */
  locate(wanted: readonly SoughtRepository[], signal?: AbortSignal): Promise<(Repository | null)[]>;
  /** Lines of git configuration that let git in. They hold secrets: never on a command line. */
  credentials(): Promise<readonly (readonly [key: string, value: string])[]>;
}

/** A repository's id without its provider. */
export type RepositoryName = Pick<Repository, 'organization' | 'project' | 'repository'>;

/** A name that a repository had, and what it kept when it was renamed. */
export type SoughtRepository = RepositoryName & Pick<Repository, 'uid'>;
