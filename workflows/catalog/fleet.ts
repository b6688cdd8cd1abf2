import { removeRepositoryFlow } from '../../domain/catalog/flows/repository-flows.ts';
import {
  ActivityFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  ChildWorkflowFailure,
  ContinueAsNew,
  continueAsNew,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { SyncRepositoryInput } from '../../domain/catalog/flows/flows.ts';
import type {
  FleetProgress,
  FleetResult,
  PlannedRepository,
  RepositoryOutcome,
  RepositoryPage,
} from '../../domain/catalog/flows/fleet.ts';
import { FAILURES_KEPT, type RepositoryFailure } from '../../domain/fleet/failure.ts';
import { describeProgress } from '../../domain/catalog/flows/progress.ts';
import { repositoryName, type RepositoryAddress } from '../../domain/git/repository.ts';
import type { Verb } from '../../domain/shared/events.ts';
import { logEvent } from '../shared/events.ts';
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
  /** For how many runs in a row each repository has failed that failed in the schedule's run before. */
  readonly failedBefore: Readonly<Record<string, number>>;
}

/** The state of a flow that has done nothing yet. */
function newFleet(now: number): FleetState {
  return {
    after: null,
    startedAt: now,
    failedBefore: failedIn(workflowInfo().lastResult),
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

  /** The progress so far. */
  get progress(): FleetProgress {
    return this.state;
  }

  /** Changes some fields and shows the result in the UI. */
  update(change: Partial<FleetProgress>): void {
    this.state = { ...this.state, ...change };
    if (change.stage !== undefined) upsertSearchAttributes([{ key: STAGE, value: change.stage }]);
    setCurrentDetails(describeProgress(this.state));
  }

  /** Work on a repository began. */
  started(id: string): void {
    this.update({ running: [...this.state.running, repositoryName(id)] });
  }

  /** Work on a repository ended; `change` is what it changes besides. */
  finished(id: string, change: Partial<FleetProgress>): void {
    const done = this.state.running.indexOf(repositoryName(id));
    this.update({ running: this.state.running.filter((_, index) => index !== done), ...change });
  }

  /** A repository is up to date: adds what was done to the sums. */
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

  /** Repositories failed; `count` when there are more than the failures given. */
  failed(failures: readonly RepositoryFailure[], count = failures.length): void {
    this.update({
      failed: this.state.failed + count,
      failures: [...this.state.failures, ...failures].slice(0, FAILURES_KEPT),
    });
  }
}

/** What the log and the metrics call the repositories of a run. */
export interface FleetName {
  readonly verb: Verb;
  /** The name of the group, or what was asked for. */
  readonly group: string;
  /** True for a sync group. */
  readonly named: boolean;
}

/** The part of a child's input that names branches; none when there are none. */
export function withBranches(branches: readonly string[]): Pick<SyncRepositoryInput, 'branches'> {
  return branches.length === 0 ? {} : { branches: [...new Set(branches)] };
}

/** The name of a run over what matches patterns, or over everything. */
export function fleetName(verb: Verb, patterns: readonly string[] | undefined): FleetName {
  return { verb, group: patterns?.join(', ') ?? 'all', named: false };
}

/** What a plan says of a repository besides where it is. */
export interface AboutPlanned {
  readonly isMoved: boolean;
  /** {@link PlannedRepository.branches} */
  readonly branches: readonly string[];
}

/** How a fleet flow does its work; `Outcome` is what the child gives back. */
export interface FleetWork<Outcome = RepositoryOutcome> {
  readonly name: FleetName;
  readonly parallel: number;
  /** The next page of repositories that need work. */
  readonly page: (after: string | null) => Promise<RepositoryPage>;
  /** Called once, when it is known that repositories need work; false ends the flow as declined. @default it goes on */
  readonly proceed?: () => Promise<boolean>;
  /** The child workflow that works on one repository. */
  readonly child: {
    readonly type: string;
    readonly input: (repository: RepositoryAddress, about: AboutPlanned) => unknown;
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
  try {
    return await workThroughPage(state, tracker, work);
  } catch (error) {
    const { verb, group, named } = work.name;
    if (!(error instanceof ContinueAsNew) && !isCancellation(error)) {
      const { type, error: reason } = failureOf(group, error);
      logEvent(`${verb}_group_failed`, { group, named, type, error: reason });
    }
    throw error;
  }
}

async function workThroughPage<Outcome>(
  state: FleetState,
  tracker: FleetTracker,
  work: FleetWork<Outcome>,
): Promise<FleetResult> {
  const { verb, group, named } = work.name;
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
    if (page.total > 0 && work.proceed && !(await work.proceed())) {
      tracker.update({ stage: 'done', declined: true });
      return resultOf(tracker.progress, state);
    }
    logEvent(`${verb}_group_start`, { group, repo_count: page.total, named });
  }
  tracker.update({ stage: 'working', skipped: tracker.progress.skipped + page.upToDate });
  tracker.failed(page.failures, page.failed);
  for (const failure of page.failures) logFailure(work.name, failure);
  await inLanes(page.repositories, work.parallel, (repository) => workOn(repository, tracker, work));
  if (page.next !== null) {
    await continueAsNew(work.nextInput({ ...state, after: page.next, progress: tracker.progress }));
  }
  tracker.update({ stage: 'done' });
  const result = resultOf(tracker.progress, state);
  const written = result.failures.flatMap(({ indexedAt }) => indexedAt ?? []);
  logEvent(`${verb}_group_done`, {
    group,
    named,
    repositories: result.matched,
    succeeded: result.succeeded,
    failed: result.failed,
    skipped: result.skipped,
    files_changed: result.filesChanged,
    duration_ms: result.durationMs,
    failing_runs: Math.max(0, ...result.failures.map(({ inARow = 1 }) => inARow)),
    // what did not fail was brought up to date, or found to be, after the run began
    true_since: [new Date(state.startedAt).toISOString(), ...written].reduce((a, b) => (a < b ? a : b)),
  });
  return result;
}

/** Tells the log of a repository whose own flow could not: it never ran, or was stopped from outside. */
function logFailure({ verb, group, named }: FleetName, { repository, type, error }: RepositoryFailure): void {
  logEvent(`${verb}_repo_failed`, { repo: repositoryName(repository), type, error, ...(named ? { group } : {}) });
}

async function workOn<Outcome>(
  { formerly = [], indexedAt, branches = [], ...repository }: PlannedRepository,
  tracker: FleetTracker,
  work: FleetWork<Outcome>,
): Promise<void> {
  tracker.started(repository.id);
  try {
    const outcome = await executeChild<(input: unknown) => Promise<Outcome>>(work.child.type, {
      workflowId: `${work.child.lock ?? 'sync'}/${repository.id}`,
      args: [work.child.input(repository, { isMoved: formerly.length > 0, branches })],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      typedSearchAttributes: [{ key: REPOSITORY, value: repositoryName(repository.id) }],
      staticSummary: `${work.child.type} ${repositoryName(repository.id)}`,
    });
    // recorded once: a repository that is still indexed under a former name has failed, and did not also succeed
    for (const former of formerly) {
      if (await removeFormer(former, repository.id, tracker)) continue;
      tracker.finished(repository.id, {});
      return;
    }
    work.record(outcome);
  } catch (error) {
    tracker.finished(repository.id, {});
    // a child that was cancelled by itself is one more failure; only our own cancellation ends the rest
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    const isBusy = error instanceof WorkflowExecutionAlreadyStartedError;
    const failure = isBusy ? busy(repository.id) : failureOf(repository.id, error);
    tracker.failed([indexedAt === undefined ? failure : { ...failure, indexedAt }]);
    if (!isLogged(error)) logFailure(work.name, failure);
  }
}

/** True when the flow of a repository told the log itself why it failed: its work did. */
function isLogged(error: unknown): boolean {
  return error instanceof ChildWorkflowFailure && error.cause instanceof ActivityFailure && !isCancellation(error);
}

/**
 * Takes a repository out of the index under the name that it had, after it is in it under the one that it has. Killed between
 * the two, the next run finds both and goes on here. False when it could not, which is recorded.
 */
async function removeFormer(former: string, present: string, tracker: FleetTracker): Promise<boolean> {
  try {
    const { objectsDeleted } = await executeChild<(input: unknown) => Promise<RepositoryOutcome>>(
      removeRepositoryFlow.type,
      {
        workflowId: `sync/${former}`,
        args: [{ repository: former }],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        typedSearchAttributes: [{ key: REPOSITORY, value: repositoryName(former) }],
        staticSummary: `${repositoryName(former)} is ${repositoryName(present)} now`.slice(0, 200),
      },
    );
    const { moved, objectsDeleted: before } = tracker.progress;
    tracker.update({ moved: moved + 1, objectsDeleted: before + objectsDeleted });
    logEvent('repo_moved', { from: repositoryName(former), to: repositoryName(present) });
    return true;
  } catch (error) {
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    const isBusy = error instanceof WorkflowExecutionAlreadyStartedError;
    const failure = isBusy ? busy(former) : failureOf(former, error);
    tracker.failed([failure]);
    if (!isLogged(error)) logFailure({ verb: 'remove', group: '', named: false }, failure);
    return false;
  }
}

function resultOf(progress: FleetProgress, { startedAt, failedBefore }: FleetState): FleetResult {
  const { stage: _stage, sample: _sample, total: _total, running: _running, waiting: _waiting, ...counts } = progress;
  const failures = counts.failures.map((failure) => ({
    ...failure,
    inARow: (failedBefore[failure.repository] ?? 0) + 1,
  }));
  return { ...counts, failures, durationMs: Date.now() - startedAt };
}

/** What failed in the run of the schedule before this one, which Temporal hands on: a result of whatever that run was. */
function failedIn(lastResult: unknown): Readonly<Record<string, number>> {
  const { failures = [] } = (lastResult ?? {}) as Partial<FleetResult>;
  return Object.fromEntries(failures.map(({ repository, inARow = 1 }) => [repository, inARow]));
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
  const fresh = newFleet(continued.startedAt);
  return { given, state: { ...fresh, ...continued, progress: { ...fresh.progress, ...continued.progress } } };
}
