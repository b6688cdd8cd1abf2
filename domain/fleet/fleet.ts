import type { FailureType } from '../shared/failures.ts';
import { redact } from '../shared/redact.ts';
import type { FullReason, SkipReason } from '../git/change.ts';
import type { Repository, RepositoryAddress } from '../git/repository.ts';
import type { VerificationReport } from '../catalog/index/verification.ts';

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
