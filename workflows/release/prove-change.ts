import { ApplicationFailure, isCancellation } from '@temporalio/workflow';
import {
  proveChangeFlow,
  type ProveChangeInput,
  type ProveChangeResult,
} from '../../domain/release/flows/evolution-flows.ts';
import { runPipelineFlow, type RunPipelineResult } from '../../domain/release/flows/pipeline-flows.ts';
import type { FoundEvolution, JudgedEvolution, JudgeEvolution } from '../../domain/release/evolutions/evolution.ts';
import type { PackedCommit } from '../../domain/release/pipelines/job.ts';
import type { RunEvent } from '../../domain/release/pipelines/plan.ts';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { runChild } from '../shared/child.ts';
import { asAct } from '../shared/act.ts';
import { commitActivities, lastingCommitActivities, ledgerActivities, pipelineActivities } from './activities.ts';
import { resultOfFailedRun } from './failed-run.ts';
import { type FlowStages, stagesOf } from '../shared/stages.ts';
import { showGeneration } from './show-generation.ts';

/** Jobs of a run in parallel. */
const PARALLEL = 16;

/** Of a run that failed: it supersedes nothing. */
const NO_FAILURES = { considered: [], supersedes: [] };

type Given = CheckedOf<typeof proveChangeFlow>;

/** What each stage hands on. */
interface Outputs extends Record<string, unknown> {
  readonly commit: { readonly packed: PackedCommit; readonly contracts: string; readonly named: readonly string[] };
  readonly evolution: FoundEvolution | null;
  readonly run: RunPipelineResult;
  readonly verdict: JudgedEvolution | null;
  readonly candidate: readonly string[];
}

/**
 * Runs a pipeline at a commit and proves the pending evolution that the commit is for (docs/release.md): what really ran
 * decides. Without a pending evolution it is a plain run. Fails with `PipelineFailed`, which carries the result, when the
 * pipeline failed or the change was not proven.
 */
export function proveChange(input: ProveChangeInput): Promise<ProveChangeResult> {
  const stages = stagesOf<Outputs>(['commit', 'evolution', 'run', 'verdict', 'candidate']);
  return asAct(proveChangeFlow, input, (given) => prove(given, stages));
}

async function prove(given: Given, stages: FlowStages<Outputs>): Promise<ProveChangeResult> {
  const { repository, pipeline, by } = given;
  const { packed, contracts, named } = await stages.run('commit', () => readCommit(given));
  const evolution = await stages.run('evolution', () =>
    ledgerActivities.findEvolution.executeWithOptions({ summary: 'find the evolution' }, [
      { repository, commit: packed.commit, tag: given.evolution ?? null, named, by },
    ]),
  );
  if (evolution !== null) showGeneration({ repository, version: evolution.version });
  const run = await stages.run('run', () =>
    runToEnd(given, packed, given.event ?? (evolution === null ? 'manual' : 'evolution')),
  );
  const verdict = await stages.run('verdict', async () => {
    if (evolution === null) return null;
    for (;;) {
      const failures = run.status === 'passed' ? await lookAtFailures(given, packed, evolution) : NO_FAILURES;
      const judged = await ledgerActivities.judgeEvolution.executeWithOptions({ summary: `judge ${evolution.tag}` }, [
        { evolution, result: run, contracts, ...failures, by },
      ]);
      // null: the change has failed in another run meanwhile
      if (judged !== null) return judged;
    }
  });
  const result = { run, evolution, verdict };
  if (evolution !== null && verdict !== null && verdict.status !== 'pass') {
    throw failed(`${evolution.tag} failed: ${verdict.reasons.join(' ')}`, result);
  }
  if (run.status !== 'passed') throw failed(`${pipeline} failed at ${packed.commit.slice(0, 12)}.`, result);
  await stages.run('candidate', () => pushCandidates(given, packed));
  return result;
}

/** The commit, with its contracts and the changes that its message names. */
async function readCommit({ repository, commit, branch, packed: given }: Given): Promise<Outputs['commit']> {
  const packed =
    given ??
    (await commitActivities.packCommit.executeWithOptions(
      { summary: `pack ${commit?.slice(0, 12) ?? branch ?? 'HEAD'}` },
      [{ repository, ...(commit === undefined ? {} : { commit }), ...(branch === undefined ? {} : { branch }) }],
    ));
  const { contracts, named } = await pipelineActivities.readCommit.executeWithOptions({ summary: 'read the commit' }, [
    { repository, packed },
  ]);
  return { packed, contracts, named };
}

/**
 * Pushes the tags of all evolutions that the pipeline has proven at the commit: that of this run, and those of earlier runs
 * that were ended before they had pushed it. Returns their names.
 */
async function pushCandidates({ repository, pipeline }: Given, packed: PackedCommit): Promise<readonly string[]> {
  const proven = await ledgerActivities.provenEvolutions.executeWithOptions({ summary: 'what is proven here' }, [
    { repository, pipeline, commit: packed.commit },
  ]);
  const problems: unknown[] = [];
  for (const { tag, change, version, at } of proven) {
    const message = `${tag}: ${change} of ${version} is proven\n\nThe pipeline ${pipeline} passed.`;
    try {
      await lastingCommitActivities.pushCandidate.executeWithOptions({ summary: `push ${tag}` }, [
        { repository, packed, tag, message, at },
      ]);
    } catch (error) {
      if (isCancellation(error)) throw error;
      // the others are pushed first
      problems.push(error);
    }
  }
  if (problems.length > 0) throw problems[0];
  return proven.map(({ tag }) => tag);
}

/** The failures of the change, and which of them a pass supersedes: the commit descends from theirs, or the person says so. */
async function lookAtFailures(
  { repository, supersedes }: Given,
  packed: PackedCommit,
  evolution: FoundEvolution,
): Promise<Pick<JudgeEvolution, 'considered' | 'supersedes'>> {
  const attempts = await ledgerActivities.failedAttempts.executeWithOptions({ summary: 'earlier failures' }, [
    evolution,
  ]);
  const commits = attempts.flatMap(({ commit }) => commit ?? []);
  const ancestors =
    commits.length === 0
      ? []
      : await commitActivities.findAncestors.executeWithOptions({ summary: 'which of them it descends from' }, [
          { repository, packed, commits },
        ]);
  return {
    considered: attempts.map(({ tag }) => tag),
    supersedes: attempts
      .filter(({ tag, commit }) => supersedes.includes(tag) || (commit !== null && ancestors.includes(commit)))
      .map(({ tag }) => tag),
  };
}

/** Runs the pipeline. A failed run is a result. */
async function runToEnd(
  { repository, pipeline, branch, from, by, requestId }: Given,
  packed: PackedCommit,
  event: RunEvent,
): Promise<RunPipelineResult> {
  const { commit } = packed;
  const input = {
    repository,
    pipeline,
    commit,
    packed,
    event,
    by,
    parallel: PARALLEL,
    ...(branch === undefined ? {} : { branch }),
    ...(from === undefined ? {} : { from }),
    ...(requestId === undefined ? {} : { requestId }),
  };
  try {
    return await runChild(runPipelineFlow, input);
  } catch (error) {
    const result = resultOfFailedRun(error);
    if (result === null) throw error;
    return result;
  }
}

function failed(message: string, result: ProveChangeResult): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'PipelineFailed',
    message: message.slice(0, 1_000),
    nonRetryable: true,
    details: [result],
  });
}
