import { ContinueAsNew, continueAsNew, isCancellation } from '@temporalio/workflow';
import type { RepositoryFailure } from '../../domain/fleet/failure.ts';
import type { FleetItem, FleetResult } from '../../domain/fleet/fleet.ts';
import type { FleetPage, PlanRequest } from '../../domain/fleet/plan.ts';
import { repositoryName } from '../../domain/git/repository.ts';
import type { AnyFlow, CheckedOf, ResultOf } from '../../domain/shared/flow.ts';
import { hasLogged, isOwnCancellation, runChild } from './child.ts';
import { failureOf } from './failure.ts';
import type { FleetState } from './fleet-state.ts';
import type { FleetTracker } from './fleet-tracker.ts';
import { inLanes } from './lanes.ts';
import { patiently } from './patience.ts';

/** Repositories per page: one run's history stays far below Temporal's limits, and most runs need one page. */
const PAGE_SIZE = 500;

/** How many names a person sees before a confirmation. */
const SAMPLE_SIZE = 50;

/** The events that a wing logs about a run. */
export interface FleetLog<Counters extends object> {
  /** Work begins on `total` repositories. */
  started(total: number): void;
  /** A repository failed, and its own flow did not log it: it never ran, or was stopped from outside. */
  repositoryFailed(failure: RepositoryFailure): void;
  /** The run ended. `startedAt`: milliseconds since 1970. */
  done(result: FleetResult & Counters, startedAt: number): void;
  /** The run failed as a whole. */
  failed(failure: Pick<RepositoryFailure, 'type' | 'error'>): void;
}

/**
 * How a fleet flow works: `Item` is an entry of its plan, `Counters` its counts, `Child` the flow that works on one
 * item.
 */
export interface FleetWork<Item extends FleetItem, Counters extends object, Child extends AnyFlow> {
  /** Items worked on at the same time. */
  readonly parallel: number;
  /** One page of the plan. An activity makes the plan once and stores it: see `planPage`. */
  readonly page: (request: PlanRequest) => Promise<FleetPage<Item>>;
  /**
   * Called once, before the first item, if any item needs work; false ends the flow as declined. @default it continues
   */
  readonly proceed?: () => Promise<boolean>;
  /** The flow of each item, which has a lock. */
  readonly child: Child;
  readonly input: (item: Item) => CheckedOf<Child> & object;
  /** Counts the result of a child. Returns its failure; null when the item succeeded. */
  readonly record: (
    result: ResultOf<Child>,
    item: Item,
  ) => RepositoryFailure | null | Promise<RepositoryFailure | null>;
  /** Further fields of a failure of the item. @default none */
  readonly about?: (item: Item) => Partial<RepositoryFailure>;
  /** The input of the next run, which starts with this state. */
  readonly nextInput: (state: FleetState<Counters>) => object;
  readonly log: FleetLog<Counters>;
}

/**
 * Works through all items that need work, page by page, with a child workflow for each and bounded concurrency. A
 * failed item is recorded and does not stop the others. Continues as new between pages.
 */
export async function workThroughFleet<Item extends FleetItem, Counters extends object, Child extends AnyFlow>(
  state: FleetState<Counters>,
  tracker: FleetTracker<Counters>,
  work: FleetWork<Item, Counters, Child>,
): Promise<FleetResult & Counters> {
  try {
    return await workThroughPage(state, tracker, work);
  } catch (error) {
    if (!(error instanceof ContinueAsNew) && !isCancellation(error)) work.log.failed(failureOf(error));
    throw error;
  }
}

async function workThroughPage<Item extends FleetItem, Counters extends object, Child extends AnyFlow>(
  state: FleetState<Counters>,
  tracker: FleetTracker<Counters>,
  work: FleetWork<Item, Counters, Child>,
): Promise<FleetResult & Counters> {
  const { after, plan } = state;
  tracker.update({ stage: 'finding' });
  const page = await patiently(
    () => work.page({ after, limit: PAGE_SIZE, ...(plan === undefined ? {} : { plan }) }),
    (waiting) => tracker.update({ waiting }),
  );
  if (after === null) {
    const { matched, total } = page;
    const sample = page.repositories.slice(0, SAMPLE_SIZE).map(({ id }) => repositoryName(id));
    tracker.update({ matched, total, sample });
    if (total > 0 && work.proceed && !(await work.proceed())) {
      tracker.update({ stage: 'done', declined: true });
      return tracker.result(state);
    }
    work.log.started(total);
  }
  tracker.update({ stage: 'working', skipped: tracker.status.skipped + page.upToDate });
  tracker.failed(page.failures, page.failed);
  for (const failure of page.failures) work.log.repositoryFailed(failure);
  await inLanes(page.repositories, work.parallel, async (item) => {
    tracker.started(item.id);
    try {
      const failure = await workOn(item, work);
      if (failure === null) tracker.succeeded();
      else tracker.failed([failure], 1);
    } finally {
      tracker.ended(item.id);
    }
  });
  if (page.next !== null) {
    const { startedAt, failedBefore } = state;
    const { status, counters } = tracker;
    const next = { after: page.next, ...(page.plan === undefined ? {} : { plan: page.plan }) };
    await continueAsNew(work.nextInput({ ...next, startedAt, failedBefore, status, counters }));
  }
  tracker.update({ stage: 'done' });
  const result = tracker.result(state);
  work.log.done(result, state.startedAt);
  return result;
}

/** The failure of one item; null when it succeeded. Throws only when this flow itself is cancelled. */
async function workOn<Item extends FleetItem, Counters extends object, Child extends AnyFlow>(
  item: Item,
  { child, input, record, about, log }: FleetWork<Item, Counters, Child>,
): Promise<RepositoryFailure | null> {
  let result: ResultOf<Child>;
  try {
    result = await runChild(child, input(item));
  } catch (error) {
    // a child that alone was cancelled counts as failed; only a cancellation of this flow stops the others
    if (isOwnCancellation(error)) throw error;
    const failure = { repository: item.id, ...failureOf(error) };
    if (!hasLogged(error)) log.repositoryFailed(failure);
    return { ...failure, ...about?.(item) };
  }
  return record(result, item);
}
