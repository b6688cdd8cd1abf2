import type { RepositoryAddress } from '../../git/repository.ts';

/** Input of `onboardRepositories`. */
export interface OnboardInput {
  /** mgit patterns, each `repo`, `org/repo` or `org/project/repo` (docs/patterns.md). At least one. */
  readonly patterns: readonly string[];
  /** Show what matched and wait for the update `confirm` before anything is indexed. @default false */
  readonly confirm?: boolean;
  /** Repositories indexed in parallel, 1 to 64. @default 8 */
  readonly parallel?: number;
}

/** Input of `syncRepositories`: `patterns`, or `all`, never both. */
export interface SyncRepositoriesInput {
  /** Only indexed repositories that match one of these mgit patterns. */
  readonly patterns?: readonly string[];
  /** Every indexed repository. */
  readonly all?: boolean;
  /** Repositories indexed in parallel, 1 to 64. @default 8 */
  readonly parallel?: number;
}

/** Input of `syncRepository`. */
export interface SyncRepositoryInput {
  /** A repository's id `provider/org[/project]/repo`, or the record that discovery returned for it. */
  readonly repository: string | RepositoryAddress;
  /** Digest of a build that is not live. @default the live build */
  readonly build?: string;
  /** Do nothing when it is not, or no longer, in the index. @default false */
  readonly onlyIndexed?: boolean;
  /** The sync group of the run, for log and metrics. */
  readonly group?: string;
  /**
   * Branches to index in addition to HEAD and the indexed ones: names, or patterns such as `release/*`. @default none
   */
  readonly branches?: readonly string[];
}

/** Input of `removeRepositories`. */
export interface RemoveInput {
  /** mgit patterns of indexed repositories. At least one. */
  readonly patterns: readonly string[];
  /** Remove only this branch from the index; HEAD and other branches stay. @default the whole repository */
  readonly branch?: string;
  /** Repositories removed in parallel, 1 to 64. @default 8 */
  readonly parallel?: number;
}

/** Input of `removeRepository`, which `removeRepositories` starts for each. */
export interface RemoveRepositoryInput {
  /** A repository's id. */
  readonly repository: string;
  /** Only this branch; HEAD and other branches stay. @default the whole repository */
  readonly branch?: string;
  /** Removes it only if it is indexed as this repository of its provider ({@link Repository.uid}). @default any */
  readonly uid?: string;
}

/** Input of `verifyCatalog`: `patterns`, or `all`, never both. */
export interface VerifyInput {
  /** Only indexed repositories that match one of these mgit patterns. */
  readonly patterns?: readonly string[];
  /** The whole index, including objects without a repository. */
  readonly all?: boolean;
  /** Compare every object with git, not only those of repositories whose numbers differ. @default false */
  readonly full?: boolean;
  /** Repair what differs. @default false */
  readonly repair?: boolean;
  /** Repositories compared in parallel, 1 to 64. @default 8 */
  readonly parallel?: number;
}

/** Input of `verifyRepository`. */
export interface VerifyRepositoryInput {
  /** A repository's id, or `(no repository)`: objects of the index without one. */
  readonly repository: string;
  /** Repair what differs. @default false */
  readonly repair?: boolean;
}

/** Input of `ingestStream`: one repository's part of a JSONL change stream from a producer other than mgit. */
export interface IngestStreamInput {
  /** The id that the objects belong to. */
  readonly repository: string;
  /** SHA-256 of the spooled stream, 64 hex digits: its digest in the blob store. */
  readonly stream: string;
}
