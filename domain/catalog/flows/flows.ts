import type { RepositoryAddress } from '../../git/repository.ts';

/** Input of `onboardRepositories`. */
export interface OnboardInput {
  /** mgit patterns, each `repo`, `org/repo` or `org/project/repo` (docs/patterns.md). At least one. */
  readonly patterns: readonly string[];
  /** Show what matched and wait for the update `confirm` before anything is indexed. @default false */
  readonly confirm?: boolean;
  /** Repositories indexed at the same time, 1 to 64. @default 8 */
  readonly parallel?: number;
}

/** Input of `syncRepositories`: `patterns`, or `all`, never both. */
export interface SyncRepositoriesInput {
  /** Only indexed repositories that match one of these mgit patterns. */
  readonly patterns?: readonly string[];
  /** Every indexed repository. */
  readonly all?: boolean;
  /** Repositories indexed at the same time, 1 to 64. @default 8 */
  readonly parallel?: number;
}

/** Input of `syncRepository`. */
export interface SyncRepositoryInput {
  /** A repository's id `provider/org[/project]/repo`, or the record that discovery returned for it. */
  readonly repository: string | RepositoryAddress;
  /** Digest of a build beside the live one. @default the live build */
  readonly build?: string;
  /** Do nothing when it is not in the index, or not any more. @default false */
  readonly onlyIndexed?: boolean;
  /** The sync group that it is worked on for, as log and metrics know it. */
  readonly group?: string;
  /** Branches to index beside HEAD and those that are already: names, or patterns such as `release/*`. @default none */
  readonly branches?: readonly string[];
}

/** Input of `removeRepositories`. */
export interface RemoveInput {
  /** mgit patterns over the repositories that are indexed. At least one. */
  readonly patterns: readonly string[];
  /** Take only this branch out of the index; HEAD and other branches stay. @default the whole repository */
  readonly branch?: string;
  /** Repositories removed at the same time, 1 to 64. @default 8 */
  readonly parallel?: number;
}

/** Input of `removeRepository`, which `removeRepositories` starts for each. */
export interface RemoveRepositoryInput {
  /** A repository's id. */
  readonly repository: string;
  /** Only this branch; HEAD and other branches stay. @default the whole repository */
  readonly branch?: string;
}

/** Input of `verifyCatalog`: `patterns`, or `all`, never both. */
export interface VerifyInput {
  /** Only indexed repositories that match one of these mgit patterns. */
  readonly patterns?: readonly string[];
  /** The whole index, with whatever in it belongs to no repository. */
  readonly all?: boolean;
  /** Compare every object with git, not only those of repositories whose numbers differ. @default false */
  readonly full?: boolean;
  /** Mend what differs. @default false */
  readonly repair?: boolean;
  /** Repositories compared at the same time, 1 to 64. @default 8 */
  readonly parallel?: number;
}

/** Input of `verifyRepository`. */
export interface VerifyRepositoryInput {
  /** A repository's id, or `(no repository)`: whatever in the index names none. */
  readonly repository: string;
  /** Mend what differs. @default false */
  readonly repair?: boolean;
}

/** Input of `ingestStream`: one repository's part of a JSONL change stream that a producer other than mgit made. */
export interface IngestStreamInput {
  /** The id that the objects belong to. */
  readonly repository: string;
  /** SHA-256 of the spooled stream, 64 hex digits: its digest in the blob store. */
  readonly stream: string;
}
