import {
  ApplicationFailure,
  executeChild,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { isNoWorse, type StoredQuery } from '../../domain/catalog/index/build.ts';
import {
  describeReembed,
  type FillInput,
  type PruneInput,
  type PruneResult,
  type ReembedInput,
  type ReembedProgress,
  type ReembedResult,
  SWITCH_QUESTION,
  type SwitchInput,
  type SwitchResult,
} from '../../domain/catalog/flows/build-flows.ts';
import type { Confirmation } from '../../domain/shared/confirmation.ts';
import type { FleetResult } from '../../domain/fleet/fleet.ts';
import type { FailureType } from '../../domain/shared/failures.ts';
import { confirmation } from '../shared/confirmation.ts';
import {
  fillBuildFlow,
  pruneIndexFlow,
  reembedIndexFlow,
  switchIndexFlow,
} from '../../domain/catalog/flows/index-flows.ts';
import { syncRepositoryFlow } from '../../domain/catalog/flows/repository-flows.ts';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { checked } from '../shared/input.ts';
import { type Locked, underLock } from '../shared/lock.ts';
import { deciding, finding, indexing } from './activities.ts';
import { fleetName, fleetStart, FleetTracker, PAGE_SIZE, withBranches, workThroughFleet } from '../shared/fleet.ts';
import { progressQuery } from './messages.ts';
import { buildLock } from './lock.ts';

/** Every pass indexes what moved during the one before. */
const MAX_PASSES = 3;

/** One run at a time changes the builds of the index. */
const LOCK: Pick<Locked<unknown>, 'workflowId' | 'busy'> = {
  workflowId: 'index-builds',
  busy: { type: 'IndexBusy', error: 'Another run is changing the builds of the index.' },
};

/**
 * Builds the index again in parallel to the live build, with another model or by another version of Longhaul; compares
 * both on stored queries; and switches in one step. Searches and syncs use the old build until then, and it stays for a
 * rollback.
 */
export async function reembedIndex(input: ReembedInput): Promise<ReembedResult> {
  // handlers are registered before the first wait, so that early queries are answered
  const progress = new ReembedTracker();
  const answer = confirmation({
    text: SWITCH_QUESTION,
    isAsked: () => progress.state.stage === 'waiting for confirmation',
    progress: () => progress.state,
  });
  const question = await checked(reembedIndexFlow, input);
  const work = (): Promise<ReembedResult> => reembed(question, progress, answer);
  return underLock({ ...LOCK, type: reembedIndexFlow.type, input: question, work });
}

type ReembedQuestion = CheckedOf<typeof reembedIndexFlow>;

async function reembed(
  { model, queries, yes, parallel }: ReembedQuestion,
  progress: ReembedTracker,
  answer: () => Promise<Confirmation>,
): Promise<ReembedResult> {
  const { from, to } = await deciding.beginBuild.executeWithOptions(
    { summary: `begin a build ${model ?? ''}`.trim() },
    [model === undefined ? {} : { model }],
  );
  progress.update({ stage: 'filling', from, to });
  if (from === to) return progress.ended(false);
  for (let pass = 1; pass <= MAX_PASSES; pass++) {
    const result = await fill(progress, { build: to, parallel }, pass);
    progress.add(result);
    if (result.succeeded === 0) break;
  }
  if (queries.length > 0 && from !== null) await compare(progress, from, to, queries);
  if (yes) {
    refuseWhenWorse(progress.state);
  } else {
    progress.update({ stage: 'waiting for confirmation' });
    if (!(await answer()).proceed) return progress.ended(false);
  }
  progress.update({ stage: 'switching' });
  await indexing.switchBuild.executeWithOptions({ summary: `make ${to} live` }, [{ to }]);
  return progress.ended(true);
}

function fill(progress: ReembedTracker, input: FillInput, pass: number): Promise<FleetResult> {
  const workflowId = `fill/${input.build}/${workflowInfo().runId}/${pass}`;
  progress.update({ filling: workflowId });
  return executeChild<(child: FillInput) => Promise<FleetResult>>(fillBuildFlow.type, {
    workflowId,
    args: [input],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    staticSummary: `fill build ${input.build}, pass ${pass}`,
  });
}

async function compare(
  progress: ReembedTracker,
  from: string,
  to: string,
  queries: readonly StoredQuery[],
): Promise<void> {
  progress.update({ stage: 'comparing' });
  const comparison = await deciding.compareBuilds.executeWithOptions({ summary: `${queries.length} queries` }, [
    { from, to, queries },
  ]);
  progress.update({ comparison });
}

/** Fails if the comparison would need a person's decision and none is asked. */
function refuseWhenWorse({ to, failed, failures, comparison }: ReembedProgress): void {
  const stop = (type: FailureType, why: string): never => {
    throw ApplicationFailure.nonRetryable(
      `${why} The live build stays; switch anyway with \`longhaul index switch ${to}\`.`,
      type,
    );
  };
  if (failed > 0) {
    const named = failures.slice(0, 5).map(({ repository, error }) => `${repository} (${error})`);
    stop(
      'SomeRepositoriesFailed',
      `${failed} repositories could not be brought into build ${to}: ${named.join(', ')}.`,
    );
  }
  if (comparison !== null && !isNoWorse(comparison)) {
    const { ndcgBefore, ndcgAfter } = comparison;
    stop('BuildIsWorse', `NDCG@10 falls from ${ndcgBefore?.toFixed(3)} to ${ndcgAfter?.toFixed(3)} in build ${to}.`);
  }
}

/**
 * Indexes the repositories of the live build in another build, at the current positions of their refs. A part of
 * `reembedIndex`.
 */
export async function fillBuild(input: FillInput): Promise<FleetResult> {
  const { given, state } = fleetStart(input);
  const tracker = new FleetTracker(state.progress);
  const { build, parallel } = await checked(fillBuildFlow, given);
  return workThroughFleet(state, tracker, {
    name: fleetName('sync', [`build ${build}`]),
    parallel,
    page: (after) =>
      finding.findUnbuilt.executeWithOptions({ summary: `what build ${build} lacks` }, [
        { build, after, limit: PAGE_SIZE },
      ]),
    child: {
      type: syncRepositoryFlow.type,
      input: (repository, { branches }) => ({ repository, build, ...withBranches(branches) }),
      lock: buildLock(build),
    },
    record: (outcome) => tracker.succeeded(outcome),
    nextInput: (next) => ({ build, parallel, continued: next }),
  });
}

/** Makes another build live, in one step: `previous` undoes a `reembedIndex`. */
export async function switchIndex(input: SwitchInput): Promise<SwitchResult> {
  const question = await checked(switchIndexFlow, input);
  const work = async (): Promise<SwitchResult> => {
    // resolved first, because after the switch `previous` would name the other one
    const to = await deciding.resolveBuild.executeWithOptions({ summary: question.to }, [question]);
    return indexing.switchBuild.executeWithOptions({ summary: `make ${to} live` }, [{ to }]);
  };
  return underLock({ ...LOCK, type: switchIndexFlow.type, input: question, work });
}

/** Deletes unused builds. */
export async function pruneIndex(input: PruneInput): Promise<PruneResult> {
  const question = await checked(pruneIndexFlow, input);
  return underLock({ ...LOCK, type: pruneIndexFlow.type, input: question, work: () => indexing.pruneBuilds(question) });
}

/** Keeps the progress of a `reembedIndex`, shows it in the UI, and answers the query `progress`. */
class ReembedTracker {
  private readonly startedAt = workflowInfo().startTime.getTime();
  state: ReembedProgress = {
    stage: 'beginning',
    from: null,
    to: null,
    filling: null,
    repositories: 0,
    failed: 0,
    failures: [],
    objectsWritten: 0,
    embedded: 0,
    embeddingsReused: 0,
    comparison: null,
  };

  constructor() {
    setHandler(progressQuery, () => this.state, { description: 'What the flow is doing and how far it is' });
  }

  update(change: Partial<ReembedProgress>): void {
    this.state = { ...this.state, ...change };
    setCurrentDetails(describeReembed(this.state));
  }

  /** Adds the result of a pass; the failures of the last pass count. */
  add({ matched, failed, failures, objectsWritten, embedded, embeddingsReused }: FleetResult): void {
    const { state } = this;
    this.update({
      filling: null,
      repositories: matched - failed,
      failed,
      failures,
      objectsWritten: state.objectsWritten + objectsWritten,
      embedded: state.embedded + embedded,
      embeddingsReused: state.embeddingsReused + embeddingsReused,
    });
  }

  ended(switched: boolean): ReembedResult {
    this.update({ stage: 'done' });
    const { stage: _stage, filling: _filling, ...rest } = this.state;
    return { ...rest, switched, durationMs: Date.now() - this.startedAt };
  }
}
