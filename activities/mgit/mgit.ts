import type { Readable } from 'node:stream';
import type { OpenWork } from '../../domain/forge/open-work.ts';
import type { BlobRef, FilePath } from '../../domain/git/change.ts';
import type { Head } from '../../domain/git/head.ts';
import type { Snapshot } from '../../domain/git/snapshot.ts';
import type { Repository, RepositoryAddress, Whereabouts } from '../../domain/git/repository.ts';
import type { LonghaulError } from '../../domain/shared/failures.ts';
import type { Evicted } from './cache-limit.ts';
import type { CloneStep, NewClone } from './clone-into.ts';
import type { CommitPack } from './commit-pack.ts';
import type { CommittedFile } from './committed-file.ts';
import type { ContentSpool } from './content-spool.ts';
import type { Differential, DifferentialOptions } from './differential.ts';
import type { CoverQuestion, History } from './commit-cover.ts';
import type { FoundTag } from './find-tags.ts';
import type { NewBranch, PushedBranch } from './push-branch.ts';
import type { Removal } from './push-ref.ts';
import type { AnnotatedTag, KnownTag, PushedTag } from './push-tag.ts';
import type { ListedRepository } from './providers/provider.ts';

/** A repository, and the branches to look up in addition to HEAD. */
export interface HeadQuestion extends RepositoryAddress {
  /** Names, or patterns such as `release/*`. */
  readonly branches?: readonly string[];
}

/** The single source for which repositories exist and what changed in them. */
export interface Mgit {
  /**
   * Every repository that a pattern matches (`parsePattern`), ordered by id, without duplicates. Throws `InvalidInput`,
   * `AuthenticationFailed`, `RateLimited`, `DiscoveryFailed`: a failed provider is never an empty list. `onPassedOver`
   * receives the folders or addresses of the repositories that cannot have an id, with the reason.
   */
  list(
    patterns: readonly string[],
    options?: { readonly signal?: AbortSignal; readonly onPassedOver?: (place: string, why: string) => void },
  ): Promise<Repository[]>;
  /** Like `list`, with HEADs for those repositories whose provider returns both together; pass them to `heads`. */
  listWithHeads(patterns: readonly string[], options?: { readonly signal?: AbortSignal }): Promise<ListedRepository[]>;
  /** The repository with this id. Throws `RepositoryNotFound`. */
  find(id: string, options?: { readonly signal?: AbortSignal }): Promise<Repository>;
  /**
   * The open issues and pull requests of the repository with this id; null when there is none, or its provider has no
   * issues that Longhaul reads. Throws `AuthenticationFailed`, `RateLimited`, `DiscoveryFailed`.
   */
  openWork(id: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<OpenWork | null>;
  /**
   * Where repositories are now: under their id, under another one, or nowhere. For many repositories this lists each
   * organization. A provider's refusal becomes the entry of each of its repositories.
   */
  whereabouts(
    repositories: readonly Pick<Repository, 'id' | 'uid'>[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<Map<string, Whereabouts | LonghaulError>>;
  /** Removes a repository from the cache of this machine. */
  forget(id: string): Promise<void>;
  /**
   * Keeps mirrors, spooled contents and pages of this machine's cache within a size: see `tidyCache`. Cheap while they
   * are. Returns what was removed; it is made again on demand.
   */
  tidy(maxBytes: number): Promise<Evicted[]>;
  /**
   * Where HEAD is, for many repositories, without fetching. For those with `branches`, or patterns of them, also where
   * these are, using git itself. A repository that fails has its failure as entry and does not stop the others; a forge
   * that asks to wait is thrown as `RateLimited`. `concurrency` is the number of parallel requests; default 16. Heads
   * in `listed` are not requested again.
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
   * The changes since a snapshot; everything when it is null, when its commit is no longer available, or when a
   * `.gitattributes` changed. With `target` they end at exactly that snapshot instead of HEAD, if still available; with
   * `full` everything is listed for that reason. `at` is a ref as `heads` saw it; `tips` are commits to fetch with it.
   * Uses no network when HEAD has not moved, or for a local repository.
   */
  diff(
    repository: RepositoryAddress,
    since: Snapshot | null,
    options?: DifferentialOptions & { readonly signal?: AbortSignal },
  ): Promise<Differential>;
  /**
   * The snapshot at a commit, whose oid may be abbreviated. Throws `InvalidInput` when the repository does not have it.
   */
  snapshot(
    repository: RepositoryAddress,
    commit: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Snapshot>;
  /**
   * The file or folder at a path of exactly this commit; null when there is none. Fetches only missing objects. Throws
   * `InvalidInput` when the repository does not have the commit.
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
  /**
   * Packs a commit with everything that a checkout needs. Of a clone, `pushed` are commits that the remote has: those in
   * between are packed too. `work` must read the pack to its end. Throws `InvalidInput` when the repository does not have
   * the commit.
   */
  withCommitPack<Result>(
    repository: RepositoryAddress,
    commit: string,
    work: (pack: CommitPack) => Promise<Result>,
    options?: { readonly signal?: AbortSignal; readonly pushed?: readonly string[] },
  ): Promise<Result>;
  /**
   * Makes a clone in `folder`, which must not exist: with history, checkout and the real remote, and without any need of
   * the cache. Uses no network when the cache has the commit with its contents. Throws `InvalidInput` when the repository
   * does not have the commit. `onStep` is called when each step begins.
   */
  cloneInto(
    repository: RepositoryAddress,
    clone: NewClone,
    folder: string,
    options?: { readonly signal?: AbortSignal; readonly onStep?: (step: CloneStep) => void },
  ): Promise<void>;
  /**
   * Those of the commits that a commit of the repository contains: it is one of them, or descends from it. The newest
   * first. Throws `InvalidInput` when the repository does not have `head`.
   */
  containedCommits(
    repository: RepositoryAddress,
    head: string,
    commits: readonly string[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<readonly string[]>;
  /**
   * Pushes an annotated tag, and its commit if the remote does not have it; never replaces anything. `openPack` gives the
   * pack of the commit ({@link withCommitPack}); with null the remote must have the commit. Throws `TagConflict`,
   * `PushRefused`.
   */
  pushTag(
    repository: RepositoryAddress,
    tag: AnnotatedTag,
    openPack: (() => Promise<Readable>) | null,
    options?: { readonly signal?: AbortSignal },
  ): Promise<PushedTag>;
  /**
   * Runs `work` with the history of a commit, which the remote may not have itself. Throws `PushRefused` when the remote
   * does not have the commits before it either.
   */
  withHistory<Result>(
    repository: RepositoryAddress,
    question: CoverQuestion,
    work: (history: History) => Promise<Result>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Result>;
  /**
   * Removes a tag from the remote if it is this very object there; otherwise nothing changes. Throws `PushRefused` when
   * the remote refuses.
   */
  removeTag(
    repository: RepositoryAddress,
    tag: KnownTag,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Removal>;
  /**
   * Pushes a branch that begins at a commit of the remote, with a new commit on top of it if there is one. Never moves a
   * branch: one that is at this very commit, or has grown from the new commit, is left as it is. Throws
   * `BranchConflict`, `PushRefused`, `InvalidInput`.
   */
  pushBranch(
    repository: RepositoryAddress,
    branch: NewBranch,
    options?: { readonly signal?: AbortSignal },
  ): Promise<PushedBranch>;
  /** Removes the branch that `pushBranch` pushes, if it is at this very commit. Throws `PushRefused`. */
  removeBranch(
    repository: RepositoryAddress,
    branch: NewBranch,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Removal>;
  /** The tags of the remote whose names begin with `prefix`. */
  findTags(
    repository: RepositoryAddress,
    prefix: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<readonly FoundTag[]>;
  /** Where `diffLines` stores large contents. */
  readonly spool: ContentSpool;
}
