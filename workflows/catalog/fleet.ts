import {
  CancellationScope,
  ChildWorkflowCancellationType,
  continueAsNew,
  executeChild,
  isCancellation,
  log,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  FAILURES_KEPT,
  type FleetProgress,
  type FleetResult,
  type PlannedRepository,
  type RepositoryFailure,
  type RepositoryOutcome,
  type RepositoryPage,
} from '../../domain/catalog/flows.ts';
import { describeProgress } from '../../domain/catalog/progress.ts';
import { repositoryName, type RepositoryAddress } from '../../domain/catalog/repository.ts';
import { busy, failureOf } from '../shared/failure.ts';
import { inLanes } from '../shared/lanes.ts';
import { patiently } from '../shared/patience.ts';
import { progressQuery } from './messages.ts';

/** Repositories a page: few enough that one run's history stays far below Temporal's limits, many enough to be rare. */
export const PAGE_SIZE = 500;

const REPOSITORY = defineSearchAttributeKey('LonghaulRepository', 'KEYWORD');
const STAGE = defineSearchAttributeKey('LonghaulStage', 'KEYWORD');

/** Everything that a fleet flow carries from one run to the next. Plain JSON. */
export interface FleetState {
  /** Where the next page starts; null for the first. */
  readonly after: string | null;
  readonly startedAt: number;
  readonly progress: FleetProgress;
}

/** The state of a flow that has done nothing yet. */
function newFleet(now: number): FleetState {
  return {
    after: null,
    startedAt: now,
    progress: {
      stage: 'finding',
      sample: [],
      total: 0,
      running: [],
      matched: 0,
      succeeded: 0,
      skipped: 0,
      failed: 0,
      failures: [],
      filesChanged: 0,
      objectsWritten: 0,
      objectsDeleted: 0,
      embedded: 0,
      embeddingsReused: 0,
      declined: false,
      moved: 0,
    },
  };
}

/** Keeps the progress of a fleet flow, shows it in the UI, and answers the query `progress`. */
export class FleetTracker {
  private state: FleetProgress;

  constructor(state: FleetProgress) {
    this.state = state;
    setHandler(progressQuery, () => this.state, { description: 'What the flow is doing and how far it is' });
  }

  get progress(): FleetProgress {
    return this.state;
  }

  update(change: Partial<FleetProgress>): void {
    this.state = { ...this.state, ...change };
    if (change.stage !== undefined) upsertSearchAttributes([{ key: STAGE, value: change.stage }]);
    setCurrentDetails(describeProgress(this.state));
  }

  started(id: string): void {
    this.update({ running: [...this.state.running, repositoryName(id)] });
  }

  finished(id: string, change: Partial<FleetProgress>): void {
    const done = this.state.running.indexOf(repositoryName(id));
    this.update({ running: this.state.running.filter((_, index) => index !== done), ...change });
  }

  succeeded(outcome: RepositoryOutcome): void {
    const { state } = this;
    this.finished(outcome.repository, {
      succeeded: state.succeeded + 1,
      filesChanged: state.filesChanged + outcome.filesChanged,
      objectsWritten: state.objectsWritten + outcome.objectsWritten,
      objectsDeleted: state.objectsDeleted + outcome.objectsDeleted,
      embedded: state.embedded + outcome.embedded,
      embeddingsReused: state.embeddingsReused + outcome.embeddingsReused,
    });
  }

  failed(failures: readonly RepositoryFailure[], count = failures.length): void {
    this.update({
      failed: this.state.failed + count,
      failures: [...this.state.failures, ...failures].slice(0, FAILURES_KEPT),
    });
  }
}

/** How a fleet flow does its work; `Outcome` is what the child gives back. */
export interface FleetWork<Outcome = RepositoryOutcome> {
  readonly parallel: number;
  /** The next page of repositories that need work. */
  readonly page: (after: string | null) => Promise<RepositoryPage>;
  /** Called once, when it is known how many repositories need work; false ends the flow as declined. */
  readonly proceed: (total: number) => Promise<boolean>;
  /** The child workflow that works on one repository. */
  readonly child: {
    readonly type: string;
    readonly input: (repository: RepositoryAddress, isMoved: boolean) => unknown;
    /** What its workflow id, which is the lock, begins with. @default 'sync' */
    readonly lock?: string;
  };
  /** Takes in what a child gave back. */
  readonly record: (outcome: Outcome) => void;
  /** The input of the next run, made from the state that it starts with. */
  readonly nextInput: (state: FleetState) => unknown;
}

/**
 * Works through all repositories that need work, page by page, a child workflow each, in bounded lanes; one that fails
 * is recorded and never stops the others. Continues as new between pages.
 */
export async function workThroughFleet<Outcome = RepositoryOutcome>(
  state: FleetState,
  tracker: FleetTracker,
  work: FleetWork<Outcome>,
): Promise<FleetResult> {
  tracker.update({ stage: 'finding' });
  const page = await patiently(
    () => work.page(state.after),
    (waiting) => tracker.update({ waiting }),
  );
  if (state.after === null) {
    tracker.update({
      matched: page.matched,
      total: page.total,
      sample: page.repositories.slice(0, 50).map(({ id }) => repositoryName(id)),
    });
    if (page.total > 0 && !(await work.proceed(page.total))) {
      tracker.update({ stage: 'done', declined: true });
      return resultOf(tracker.progress, state.startedAt);
    }
  }
  tracker.update({ stage: 'working', skipped: tracker.progress.skipped + page.upToDate });
  tracker.failed(page.failures, page.failed);
  await inLanes(page.repositories, work.parallel, (repository) => workOn(repository, tracker, work));
  if (page.next !== null) {
    await continueAsNew(work.nextInput({ ...state, after: page.next, progress: tracker.progress }));
  }
  tracker.update({ stage: 'done' });
  return resultOf(tracker.progress, state.startedAt);
}

async function workOn<Outcome>(
  { formerly = [], ...repository }: PlannedRepository,
  tracker: FleetTracker,
  work: FleetWork<Outcome>,
): Promise<void> {
  tracker.started(repository.id);
  try {
    const outcome = await executeChild<(input: unknown) => Promise<Outcome>>(work.child.type, {
      workflowId: `${work.child.lock ?? 'sync'}/${repository.id}`,
      args: [work.child.input(repository, formerly.length > 0)],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      typedSearchAttributes: [{ key: REPOSITORY, value: repositoryName(repository.id) }],
      staticSummary: `${work.child.type} ${repositoryName(repository.id)}`,
    });
    work.record(outcome);
    for (const former of formerly) await removeFormer(former, repository.id, tracker);
  } catch (error) {
    tracker.finished(repository.id, {});
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      tracker.failed([busy(repository.id)]);
      return;
    }
    // a child that was cancelled by itself is one more failure; only our own cancellation ends the rest
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    tracker.failed([failureOf(repository.id, error)]);
  }
}

/**
 * Takes a repository out of the index under the name that it had, after it is in it under the one that it has. Killed between
 * the two, the next run finds both and goes on here.
 */
async function removeFormer(former: string, present: string, tracker: FleetTracker): Promise<void> {
  try {
    const { objectsDeleted } = await executeChild<(input: unknown) => Promise<RepositoryOutcome>>('removeRepository', {
      workflowId: `sync/${former}`,
      args: [{ repository: former }],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      typedSearchAttributes: [{ key: REPOSITORY, value: repositoryName(former) }],
      staticSummary: `${repositoryName(former)} is ${repositoryName(present)} now`.slice(0, 200),
    });
    const { moved, objectsDeleted: before } = tracker.progress;
    tracker.update({ moved: moved + 1, objectsDeleted: before + objectsDeleted });
    log.info('repo_moved', { event: 'repo_moved', from: repositoryName(former), to: repositoryName(present) });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) tracker.failed([busy(former)]);
    else if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    else tracker.failed([failureOf(former, error)]);
  }
}

function resultOf(progress: FleetProgress, startedAt: number): FleetResult {
  const { stage: _stage, sample: _sample, total: _total, running: _running, waiting: _waiting, ...counts } = progress;
  return { ...counts, durationMs: Date.now() - startedAt };
}

/** What a fleet flow is started with, by a person or by the run before it. */
export interface FleetStart {
  /** The input as it was given, to be checked. */
  readonly given: unknown;
  readonly state: FleetState;
}

/** Takes the state of the run before out of an input; in a first run everything is a person's input. */
export function fleetStart(input: unknown): FleetStart {
  const { continuedFromExecutionRunId, startTime } = workflowInfo();
  const isContinued = typeof input === 'object' && input !== null && 'continued' in input;
  // a cron or retried run also has one before it, but nothing of its state
  if (continuedFromExecutionRunId === undefined || !isContinued) {
    return { given: input, state: newFleet(startTime.getTime()) };
  }
  const { continued, ...given } = input as { continued: FleetState };
  // a run before this one may have been of a version that counted less
  const { progress } = newFleet(continued.startedAt);
  return { given, state: { ...continued, progress: { ...progress, ...continued.progress } } };
}
