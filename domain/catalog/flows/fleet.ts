import type { RepositoryFailure } from '../../fleet/failure.ts';
import type { FullReason, SkipReason } from '../../git/change.ts';
import type { Repository, RepositoryAddress } from '../../git/repository.ts';
import type { VerificationReport } from '../index/verification.ts';

/** The result of syncing one repository. */
export interface RepositoryOutcome {
  readonly repository: string;
  /** The commit of HEAD that is now indexed. */
  readonly commit: string;
  /** Why everything was read instead of a difference; null for a delta. */
  readonly full: FullReason | null;
  /** Files added, changed, moved or deleted in git. */
  readonly filesChanged: number;
  readonly objectsWritten: number;
  readonly objectsDeleted: number;
  /** Objects of HEAD in the index afterwards. */
  readonly objects: number;
  /** Texts that were embedded, and texts whose vector was cached. */
  readonly embedded: number;
  readonly embeddingsReused: number;
  /** Files that were not indexed, by reason. */
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
  readonly durationMs: number;
}

/** Result of every flow over many repositories. */
export interface FleetResult {
  /** Repositories that matched the patterns or were requested by id. */
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
  /** True when a person declined the confirmation and nothing was done. */
  readonly declined: boolean;
  /** Repositories that were indexed under a former name and are now indexed under their present one. */
  readonly moved: number;
  /** What `verifyCatalog` found; absent for other flows. */
  readonly verification?: VerificationReport;
}

/** Progress of a running fleet flow; the answer of the query `progress`. */
export interface FleetProgress extends Omit<FleetResult, 'durationMs'> {
  readonly stage: 'finding' | 'waiting for confirmation' | 'working' | 'done';
  /** The first names that a person is asked to confirm. */
  readonly sample: readonly string[];
  /** Repositories that need work, found so far. */
  readonly total: number;
  /** Names of the repositories being worked on now. */
  readonly running: readonly string[];
  /** The server that asked to wait, and until when (ISO 8601); null or missing when the flow does not wait. */
  readonly waiting?: { readonly for: string; readonly until: string } | null;
}

/** A repository to work on. */
export interface PlannedRepository extends RepositoryAddress {
  /**
   * Former ids of the same repository, before it was renamed or transferred: removed once it is indexed under this one.
   */
  readonly formerly?: readonly string[];
  /** When its receipt was written, ISO 8601; missing when it has none. */
  readonly indexedAt?: string;
  /** Names of the branches to take over, from another build or from its former ids. */
  readonly branches?: readonly string[];
}

/** One page of repositories to work on, as an activity returns it. */
export interface RepositoryPage {
  /** How many repositories matched the patterns in total. */
  readonly matched: number;
  /** How many of the repositories after `after` need no work. */
  readonly upToDate: number;
  /** At most the page size, ordered by id. */
  readonly repositories: readonly PlannedRepository[];
  /** How many need work in total, on all pages from this one on. */
  readonly total: number;
  /** The first {@link FAILURES_KEPT} repositories that could not be checked. */
  readonly failures: readonly RepositoryFailure[];
  /** How many could not be checked. */
  readonly failed: number;
  /** Where the next page starts; null on the last one. */
  readonly next: string | null;
}

/** The part of a {@link Repository} that is passed to the flow that works on it. */
export function addressOf({ id, cloneUrl, uid }: Repository): RepositoryAddress {
  return { id, cloneUrl, ...(uid === undefined ? {} : { uid }) };
}
