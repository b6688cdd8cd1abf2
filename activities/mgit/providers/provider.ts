import type { OpenWork } from '../../../domain/forge/open-work.ts';
import type { Pattern } from '../../../domain/git/pattern.ts';
import type { Head } from '../../../domain/git/head.ts';
import type { Repository, RepositoryAddress } from '../../../domain/git/repository.ts';
import type { LonghaulError } from '../../../domain/shared/failures.ts';

/** A source of repositories. */
export interface Provider {
  readonly name: string;
  /**
   * At least every repository that the patterns match. Throws `AuthenticationFailed`, `RateLimited`, `DiscoveryFailed`;
   * an empty list always means that there is nothing. `onPassedOver` receives what cannot be a repository of Longhaul,
   * with the reason.
   */
  list(patterns: readonly Pattern[], signal?: AbortSignal, onPassedOver?: OnPassedOver): Promise<Repository[]>;
  /** Like `list`, with HEADs for those repositories where one listing needs fewer requests than both separately. */
  listWithHeads?(patterns: readonly Pattern[], signal?: AbortSignal): Promise<ListedRepository[]>;
  /** The repository with this name; null when there is none. */
  find(name: RepositoryName, signal?: AbortSignal): Promise<Repository | null>;
  /**
   * Where repositories with these former names are now, in order: under the same name, or under another one if the
   * provider tracks renames; null for one that no longer exists.
   */
  locate(requested: readonly SoughtRepository[], signal?: AbortSignal): Promise<(Repository | null)[]>;
  /**
   * HEADs of these repositories, by id, if the provider can return many at once; git is used for those that are
   * missing. A refused repository has its failure as entry.
   */
  heads?(
    repositories: readonly RepositoryAddress[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, Head | LonghaulError>>;
  /**
   * The open issues and pull requests of the repository with this name; null when there is none. Missing when the
   * provider has none, or Longhaul does not read them there.
   */
  openWork?(name: RepositoryName, signal?: AbortSignal): Promise<OpenWork | null>;
  /** Runs git against the provider when a slot is free. Missing when requests are not limited. */
  turn?<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result>;
  /** Git configuration with credentials. It contains secrets: never pass it on a command line. */
  credentials(): Promise<readonly (readonly [key: string, value: string])[]>;
}

/** Receives what a listing passes over: its folder or address, and why. */
export type OnPassedOver = (place: string, why: string) => void;

/** A repository, with its HEAD if the listing included it. */
export interface ListedRepository extends Repository {
  /** Where HEAD is. @default the listing does not say */
  readonly head?: Head;
}

/** A repository's id without its provider. */
export type RepositoryName = Pick<Repository, 'organization' | 'project' | 'repository'>;

/** A repository's former name and its uid. */
export type SoughtRepository = RepositoryName & Pick<Repository, 'uid'>;
