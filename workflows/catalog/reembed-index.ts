import { ApplicationFailure, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { isNoWorse, type StoredQuery } from '../../domain/catalog/index/build.ts';
import {
  describeReembed,
  type FillInput,
  type PruneInput,
  type PruneResult,
  type ReembedInput,
  reembedProgress,
  type ReembedResult,
  type ReembedStatus,
  SWITCH_QUESTION,
  type SwitchInput,
  type SwitchResult,
} from '../../domain/catalog/flows/build-flows.ts';
import type { Confirmation } from '../../domain/shared/confirmation.ts';
import { addressOf, type CatalogFleetResult } from '../../domain/catalog/flows/fleet.ts';
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
import { isPatched } from '../shared/patches.ts';
import { runLocked, underLock } from '../shared/child.ts';
import { workThroughFleet } from '../shared/fleet.ts';
import { answerProgress } from '../shared/progress.ts';
import { groupActivities, indexActivities, planActivities } from './activities.ts';
import { addOutcome, lastIndexed, patternsLog, startCatalogFleet, withBranches } from './fleet.ts';

/** Each pass indexes what moved during the previous one. */
const MAX_PASSES = 3;

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
    isAsked: () => progress.status.stage === 'waiting for confirmation',
    progress: () => reembedProgress(progress.status),
  });
  const question = await checked(reembedIndexFlow, input);
  return underLock(reembedIndexFlow, question, () => reembed(question, progress, answer));
}

type ReembedQuestion = CheckedOf<typeof reembedIndexFlow>;

async function reembed(
  { model, queries, yes, parallel }: ReembedQuestion,
  progress: ReembedTracker,
  answer: () => Promise<Confirmation>,
): Promise<ReembedResult> {
  const { from, to } = await groupActivities.beginBuild.executeWithOptions(
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
    refuseWhenWorse(progress.status);
  } else {
    progress.update({ stage: 'waiting for confirmation' });
    if (!(await answer()).proceed) return progress.ended(false);
  }
  progress.update({ stage: 'switching' });
  await indexActivities.switchBuild.executeWithOptions({ summary: `make ${to} live` }, [{ to }]);
  return progress.ended(true);
}

function fill(
  progress: ReembedTracker,
  input: CheckedOf<typeof fillBuildFlow>,
  pass: number,
): Promise<CatalogFleetResult> {
  const workflowId = `fill/${input.build}/${workflowInfo().runId}/${pass}`;
  progress.update({ filling: workflowId });
  return runLocked({
    type: fillBuildFlow.type,
    input,
    workflowId,
    summary: `${fillBuildFlow.summary(input)}, pass ${pass}`,
    busy: fillBuildFlow.busy(input),
  });
}

async function compare(
  progress: ReembedTracker,
  from: string,
  to: string,
  queries: readonly StoredQuery[],
): Promise<void> {
  progress.update({ stage: 'comparing' });
  const comparison = await groupActivities.compareBuilds.executeWithOptions({ summary: `${queries.length} queries` }, [
    { from, to, queries },
  ]);
  progress.update({ comparison });
}

/** Fails if the comparison would need a person's decision and none is asked. */
function refuseWhenWorse({ to, failed, failures, comparison }: ReembedStatus): void {
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
export async function fillBuild(input: FillInput): Promise<CatalogFleetResult> {
  const { given, state, tracker } = startCatalogFleet(input);
  const { build, parallel } = await checked(fillBuildFlow, given);
  return workThroughFleet(state, tracker, {
    log: patternsLog('sync', [`build ${build}`]),
    parallel,
    page: (request) =>
      planActivities.findUnbuilt.executeWithOptions({ summary: `what is missing in build ${build}` }, [
        { build, ...request },
      ]),
    child: syncRepositoryFlow,
    input: (planned) => ({ repository: addressOf(planned), build, ...withBranches(planned.branches) }),
    record: (outcome) => {
      addOutcome(tracker, outcome);
      return null;
    },
    about: lastIndexed,
    nextInput: (continued) => ({ build, parallel, continued }),
  });
}

/** Makes another build live, in one step: `previous` undoes a `reembedIndex`. */
export async function switchIndex(input: SwitchInput): Promise<SwitchResult> {
  const question = await checked(switchIndexFlow, input);
  return underLock(switchIndexFlow, question, async () => {
    // resolved first, because after the switch `previous` would name the other one
    const to = await groupActivities.resolveBuild.executeWithOptions({ summary: question.to }, [question]);
    return indexActivities.switchBuild.executeWithOptions({ summary: `make ${to} live` }, [{ to }]);
  });
}

/** Deletes unused builds. Which ones is in the history before the first is deleted, so the result names them all. */
export async function pruneIndex(input: PruneInput): Promise<PruneResult> {
  const question = await checked(pruneIndexFlow, input);
  return underLock(pruneIndexFlow, question, async () => {
    if (!isPatched('unused-builds-first')) return indexActivities.pruneBuilds(question);
    const unused = await groupActivities.findUnusedBuilds.executeWithOptions({ summary: 'find unused builds' }, [
      question,
    ]);
    return indexActivities.pruneBuilds.executeWithOptions({ summary: `delete ${unused.length} builds` }, [
      { ...question, unused },
    ]);
  });
}

/** Tracks the progress of a `reembedIndex`, shows it in the UI, and answers the query `progress`. */
class ReembedTracker {
  private readonly startedAt = workflowInfo().startTime.getTime();
  status: ReembedStatus = {
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
    answerProgress(() => reembedProgress(this.status));
  }

  update(change: Partial<ReembedStatus>): void {
    this.status = { ...this.status, ...change };
    setCurrentDetails(describeReembed(this.status));
  }

  /** Adds the result of a pass; the failures of the last pass count. */
  add({ matched, failed, failures, objectsWritten, embedded, embeddingsReused }: CatalogFleetResult): void {
    const { status } = this;
    this.update({
      filling: null,
      repositories: matched - failed,
      failed,
      failures,
      objectsWritten: status.objectsWritten + objectsWritten,
      embedded: status.embedded + embedded,
      embeddingsReused: status.embeddingsReused + embeddingsReused,
    });
  }

  ended(switched: boolean): ReembedResult {
    this.update({ stage: 'done' });
    const { stage: _stage, filling: _filling, ...rest } = this.status;
    return { ...rest, switched, durationMs: Date.now() - this.startedAt };
  }
}
