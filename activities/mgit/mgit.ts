import type { BlobRef, FilePath } from '../../domain/git/change.ts';
import type { Head } from '../../domain/git/head.ts';
import type { Snapshot } from '../../domain/git/snapshot.ts';
import type { Repository, RepositoryAddress, Whereabouts } from '../../domain/git/repository.ts';
import type { LonghaulError } from '../../domain/shared/failures.ts';
import type { Evicted } from './cache-limit.ts';
import type { CommittedFile } from './committed-file.ts';
import type { ContentSpool } from './content-spool.ts';
import type { Differential, DifferentialOptions } from './differential.ts';
import type { ListedRepository } from './providers/provider.ts';

/** A repository, and the branches that somebody wants to know of besides HEAD. */
export interface HeadQuestion extends RepositoryAddress {
  /** Names, or patterns such as `release/*`. */
  readonly branches?: readonly string[];
}

/** The one authority for which repositories there are and what changed in them. */
export interface Mgit {
  /**
   * Every repository that a pattern means (`parsePattern`), in the order of their ids, each once. Throws `InvalidInput`,
   * `AuthenticationFailed`, `RateLimited`, `DiscoveryFailed`: a provider that fails is never an empty list.
   */
  list(patterns: readonly string[], options?: { readonly signal?: AbortSignal }): Promise<Repository[]>;
  /** As `list`, and where HEADs are, of those repositories whose provider tells both at once: for `heads`. */
  listWithHeads(patterns: readonly string[], options?: { readonly signal?: AbortSignal }): Promise<ListedRepository[]>;
  /** The repository with this id. Throws `RepositoryNotFound`. */
  find(id: string, options?: { readonly signal?: AbortSignal }): Promise<Repository>;
  /**
   * Where repositories are now: under their id, under another one, or nowhere. Many of them cost a listing of each
   * organization. What a provider refuses is the entry of each of its repositories.
   */
  whereabouts(
    repositories: readonly Pick<Repository, 'id' | 'uid'>[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<Map<string, Whereabouts | LonghaulError>>;
  /** Removes what the cache of this machine holds of a repository. */
  forget(id: string): Promise<void>;
  /**
   * Keeps mirrors and spooled contents of this machine's cache within a size: see `tidyCache`. Cheap while it is. Gives what
   * was removed; it is made again when it is needed.
   */
  tidy(maxBytes: number): Promise<Evicted[]>;
  /**
   * Where HEAD is, for many repositories, without fetching; of those that name `branches`, or patterns of them, also where these
   * are, and then git itself is asked. One that cannot be asked is an entry with its failure, and
   * stops nothing; a forge that asks everybody to wait is thrown as `RateLimited`. `concurrency` is how many are asked at the same time; default 16.
   * What `listed` says already is not asked for.
   */
  heads(
    repositories: readonly HeadQuestion[],
    options?: {
      readonly concurrency?: number;
      readonly listed?: readonly ListedRepository[];
      readonly signal?: AbortSignal;
    },
  ): Promise<Map<string, Head | LonghaulError>>;
  /**
   * What changed since a snapshot; everything, when it is null, when its commit cannot be had any more, or when a
   * `.gitattributes` changed. With `target` it goes to exactly that snapshot instead of HEAD, if it still can be had; with
   * `full` it lists everything for that reason. A ref that `heads` saw is `at`, and what is fetched with it `tips`. No network when HEAD is where it was, nor for a repository on this machine.
   */
  diff(
    repository: RepositoryAddress,
    since: Snapshot | null,
    options?: DifferentialOptions & { readonly signal?: AbortSignal },
  ): Promise<Differential>;
  /** The snapshot at a commit, whose name may be abbreviated. Throws `InvalidInput` when the repository does not have it. */
  snapshot(
    repository: RepositoryAddress,
    commit: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Snapshot>;
  /**
   * What exactly this commit has at a path; null when it has nothing there. Only what is missing on this machine is fetched.
   * Throws `InvalidInput` when the repository does not have the commit.
   */
  readFile(
    repository: RepositoryAddress,
    commit: string,
    path: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<CommittedFile | null>;
  /** Every file of exactly this commit. Throws `InvalidInput` when the repository does not have it. */
  listFiles(
    repository: RepositoryAddress,
    commit: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<readonly (FilePath & BlobRef)[]>;
  /** Where `diffLines` keeps large contents. */
  readonly spool: ContentSpool;
}
