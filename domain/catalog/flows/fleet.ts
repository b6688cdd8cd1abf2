import type { FleetResult } from '../../fleet/fleet.ts';
import type { FullReason, SkipReason } from '../../git/change.ts';
import type { FleetPage, FleetPlan } from '../../fleet/plan.ts';
import type { RepositoryAddress } from '../../git/repository.ts';
import type { VerificationReport } from '../index/verification.ts';

/** The result of syncing one repository. */
export interface RepositoryOutcome {
  readonly repository: string;
  /** The commit of HEAD that is now indexed. */
  readonly commit: string;
  /** Why everything was read instead of the differential; null for a delta. */
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

/** The counts of the catalog's flows, in addition to repositories. */
export interface CatalogCounters {
  readonly filesChanged: number;
  readonly objectsWritten: number;
  readonly objectsDeleted: number;
  readonly embedded: number;
  readonly embeddingsReused: number;
  /** Repositories that were indexed under a former name and are now indexed under their present one. */
  readonly moved: number;
  /** The report of `verifyCatalog`; missing for other flows. */
  readonly verification?: VerificationReport;
}

/** Result of every flow of the catalog over many repositories. */
export interface CatalogFleetResult extends FleetResult, CatalogCounters {}

/** Nothing counted yet. */
export const NO_COUNTS: CatalogCounters = {
  filesChanged: 0,
  objectsWritten: 0,
  objectsDeleted: 0,
  embedded: 0,
  embeddingsReused: 0,
  moved: 0,
};

/** A repository to work on. */
export interface PlannedRepository extends RepositoryAddress {
  /** Former ids, from before it was renamed or transferred; they are removed once it is indexed under this one. */
  readonly formerly?: readonly string[];
  /** When its receipt was written, ISO 8601; missing without a receipt. */
  readonly indexedAt?: string;
  /** Names of the branches to take over, from another build or from its former ids. */
  readonly branches?: readonly string[];
}

/** The plan of a flow of the catalog. */
export type CatalogPlan = FleetPlan<PlannedRepository>;

/** One page of a {@link CatalogPlan}. */
export type RepositoryPage = FleetPage<PlannedRepository>;

/** The part of a repository that is passed to the flow that works on it. */
export function addressOf({ id, cloneUrl, uid }: RepositoryAddress): RepositoryAddress {
  return { id, cloneUrl, ...(uid === undefined ? {} : { uid }) };
}
