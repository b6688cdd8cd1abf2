import { clipError, FAILURES_KEPT, type RepositoryFailure } from './failure.ts';
import type { FleetItem } from './fleet.ts';

/** The plan of a run: repositories that need work, that need none, and that could not be checked. */
export interface FleetPlan<Item extends FleetItem = FleetItem> {
  readonly matched: number;
  /** Ordered by id. */
  readonly work: readonly Item[];
  /** Ids. */
  readonly upToDate: readonly string[];
  readonly failures: readonly RepositoryFailure[];
}

/** A request for one page of a plan. */
export interface PlanRequest {
  /** The id after which the page starts; null for the first. */
  readonly after: string | null;
  /** The most repositories to work on. */
  readonly limit: number;
  /** {@link FleetPage.plan} of the page before. */
  readonly plan?: string;
}

/** One page of a plan, as an activity returns it. */
export interface FleetPage<Item extends FleetItem = FleetItem> {
  /** How many repositories matched in total. */
  readonly matched: number;
  /** How many of the repositories on this page need no work. */
  readonly upToDate: number;
  /** Repositories that need work, at most the page size, ordered by id. */
  readonly repositories: readonly Item[];
  /** How many need work in total, on all pages. */
  readonly total: number;
  /** The first {@link FAILURES_KEPT} repositories that could not be checked. */
  readonly failures: readonly RepositoryFailure[];
  /** How many could not be checked. */
  readonly failed: number;
  /** Where the next page starts; null on the last one. */
  readonly next: string | null;
  /** Digest of the stored plan that has the next page; missing on the last one. */
  readonly plan?: string;
}

/** The part of a plan after the id `after` with at most `limit` repositories to work on. Pages never overlap. */
export function pageOf<Item extends FleetItem>(
  plan: FleetPlan<Item>,
  { after, limit }: Pick<PlanRequest, 'after' | 'limit'>,
): FleetPage<Item> {
  const later = (id: string): boolean => after === null || id > after;
  const left = plan.work.filter(({ id }) => later(id));
  const repositories = left.slice(0, limit);
  const next = left.length > limit ? (repositories.at(-1)?.id ?? null) : null;
  const onThisPage = (id: string): boolean => later(id) && (next === null || id <= next);
  const failures = plan.failures.filter(({ repository }) => onThisPage(repository));
  return {
    matched: plan.matched,
    total: plan.work.length,
    upToDate: plan.upToDate.filter(onThisPage).length,
    repositories,
    failures: failures.slice(0, FAILURES_KEPT).map((failure) => ({ ...failure, error: clipError(failure.error) })),
    failed: failures.length,
    next,
  };
}
