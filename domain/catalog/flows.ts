import type { FailureType } from '../failures.ts';
import { redact } from '../redact.ts';
import type { FullReason, SkipReason } from './change.ts';
import type { Repository, RepositoryAddress } from './repository.ts';
import type { VerificationReport } from './verification.ts';

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

/** What became of one repository. */
export interface RepositoryOutcome {
  readonly repository: string;
  /** Commit of HEAD that the index now holds. */
  readonly commit: string;
  /** Why everything was read instead of a difference; null for a delta. */
  readonly full: FullReason | null;
  /** Files added, changed, moved or deleted in git. */
  readonly filesChanged: number;
  readonly objectsWritten: number;
  readonly objectsDeleted: number;
  /** Objects that the index holds of HEAD afterwards. */
  readonly objects: number;
  /** Texts that had to be embedded, and those whose vector was known. */
  readonly embedded: number;
  readonly embeddingsReused: number;
  /** Files that were not indexed, by reason. */
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
  readonly durationMs: number;
}

/** A repository that could not be brought up to date; its old receipt was kept. */
export interface RepositoryFailure {
  readonly repository: string;
  readonly type: FailureType | 'Unexpected';
  readonly error: string;
  /** When its receipt was written, ISO 8601; missing when it has none, or nobody looked. */
  readonly indexedAt?: string;
  /** For how many runs in a row it has failed, as far as the results of the schedule's runs say. */
  readonly inARow?: number;
}

/** Result of every flow over many repositories. */
export interface FleetResult {
  /** Repositories that the patterns matched, or that were asked about. */
  readonly matched: number;
  readonly succeeded: number;
  /** Nothing to do: already indexed, or unchanged. */
  readonly skipped: number;
  readonly failed: number;
  /** The first {@link FAILURES_KEPT} failures. */
  readonly failures: readonly RepositoryFailure[];
  readonly filesChanged: number;
  readonly objectsWritten: number;
  readonly objectsDeleted: number;
  readonly embedded: number;
  readonly embeddingsReused: number;
  readonly durationMs: number;
  /** True when a person declined the confirmation: nothing was done. */
  readonly declined: boolean;
  /** Repositories that were indexed under a former name, and are indexed under their present one now. */
  readonly moved: number;
  /** What `verifyCatalog` found; no other flow has it. */
  readonly verification?: VerificationReport;
}

/** How many failures a {@link FleetResult} names; the rest is counted. */
export const FAILURES_KEPT = 200;

/** Hundreds of them travel in one result, and a tool may have said a lot. */
const LONGEST_ERROR = 500;

/** What went wrong, without secrets, short enough to travel with many others. */
export function clipError(error: string): string {
  const text = redact(error);
  return text.length > LONGEST_ERROR ? `${text.slice(0, LONGEST_ERROR - 1)}…` : text;
}

/** What a running fleet flow is doing; the answer of the query `progress`. */
export interface FleetProgress extends Omit<FleetResult, 'durationMs'> {
  readonly stage: 'finding' | 'waiting for confirmation' | 'working' | 'done';
  /** The first names that a person is asked to confirm. */
  readonly sample: readonly string[];
  /** Repositories to work on that were found so far. */
  readonly total: number;
  /** Names of the repositories being worked on now. */
  readonly running: readonly string[];
  /** Who asks to wait, and until when (ISO 8601); null or missing while nobody does. */
  readonly waiting?: { readonly for: string; readonly until: string } | null;
}

/** A person's answer to `Proceed with initial indexing?`, the argument of the update `confirm`. */
export interface Confirmation {
  readonly proceed: boolean;
  /** Who answered, for the record. */
  readonly by?: string;
}

/** A repository to work on. */
export interface PlannedRepository extends RepositoryAddress {
  /** Ids under which the same repository was indexed before it was renamed or transferred: removed once it has this one. */
  readonly formerly?: readonly string[];
  /** When its receipt was written, ISO 8601; missing when it has none. */
  readonly indexedAt?: string;
  /** Names of the branches that come with it, from another build or from its former ids. */
  readonly branches?: readonly string[];
}

/** One page of repositories to work on, as an activity returns it. */
export interface RepositoryPage {
  /** How many repositories the patterns matched in all. */
  readonly matched: number;
  /** How many of the repositories after `after` need no work. */
  readonly upToDate: number;
  /** At most the page size, in order of their ids. */
  readonly repositories: readonly PlannedRepository[];
  /** How many need work in all, on this and the following pages. */
  readonly total: number;
  /** The first {@link FAILURES_KEPT} repositories that could not be asked. */
  readonly failures: readonly RepositoryFailure[];
  /** How many could not be asked. */
  readonly failed: number;
  /** Where the next page starts; null on the last one. */
  readonly next: string | null;
}

/** The part of a {@link Repository} that travels to the flow that works on it. */
export function addressOf({ id, cloneUrl, uid }: Repository): RepositoryAddress {
  return { id, cloneUrl, ...(uid === undefined ? {} : { uid }) };
}
