import { ApplicationFailure } from '@temporalio/workflow';
import {
  proveChangeFlow,
  type ProveChangeInput,
  type ProveChangeResult,
} from '../../domain/release/flows/evolution-flows.ts';
import { runPipelineFlow, type RunPipelineResult } from '../../domain/release/flows/pipeline-flows.ts';
import type { FoundEvolution } from '../../domain/release/evolutions/evolution.ts';
import type { PackedCommit } from '../../domain/release/pipelines/job.ts';
import type { RunEvent } from '../../domain/release/pipelines/plan.ts';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { runChild } from '../shared/child.ts';
import { asAct } from './act.ts';
import { commitActivities, lastingCommitActivities, ledgerActivities, pipelineActivities } from './activities.ts';
import { resultOfFailedRun } from './failed-run.ts';
import { showGeneration } from './show-generation.ts';

/** Jobs of a run in parallel. */
const PARALLEL = 16;

type Given = CheckedOf<typeof proveChangeFlow>;

/**
 * Runs a pipeline at a commit and proves the pending evolution that the commit is for (docs/release.md): what really ran
 * decides. Without a pending evolution it is a plain run. Fails with `PipelineFailed`, which carries the result, when the
 * pipeline failed or the change was not proven.
 */
export function proveChange(input: ProveChangeInput): Promise<ProveChangeResult> {
  return asAct(proveChangeFlow, input, prove);
}

async function prove(given: Given): Promise<ProveChangeResult> {
  const { repository, pipeline, commit, branch, by } = given;
  const packed =
    given.packed ??
    (await commitActivities.packCommit.executeWithOptions(
      { summary: `pack ${commit?.slice(0, 12) ?? branch ?? 'HEAD'}` },
      [{ repository, ...(commit === undefined ? {} : { commit }), ...(branch === undefined ? {} : { branch }) }],
    ));
  const { contracts, named } = await pipelineActivities.readCommit.executeWithOptions({ summary: 'read the commit' }, [
    { repository, packed },
  ]);
  const evolution = await ledgerActivities.findEvolution.executeWithOptions({ summary: 'find the evolution' }, [
    { repository, commit: packed.commit, tag: given.evolution ?? null, named, by },
  ]);
  if (evolution !== null) showGeneration({ repository, version: evolution.version });
  const run = await runToEnd(given, packed, evolution === null ? 'manual' : 'evolution');
  if (evolution === null) {
    if (run.status === 'passed') {
      await pushCandidates(given, packed);
      return { run, evolution, verdict: null };
    }
    throw failed(`${pipeline} failed at ${packed.commit.slice(0, 12)}.`, { run, evolution, verdict: null });
  }
  const supersedes = run.status === 'passed' ? await superseded(given, packed, evolution) : [];
  const verdict = await ledgerActivities.judgeEvolution.executeWithOptions({ summary: `judge ${evolution.tag}` }, [
    { evolution, result: run, contracts, supersedes, by },
  ]);
  const result = { run, evolution, verdict };
  if (verdict.status === 'pass') {
    await pushCandidates(given, packed);
    return result;
  }
  throw failed(`${evolution.tag} failed: ${verdict.reasons.join(' ')}`, result);
}

/**
 * Pushes the tags of all evolutions that the pipeline has proven at the commit: that of this run, and those of earlier runs
 * that were ended before they had pushed it.
 */
async function pushCandidates({ repository, pipeline }: Given, packed: PackedCommit): Promise<void> {
  const proven = await ledgerActivities.provenEvolutions.executeWithOptions({ summary: 'what is proven here' }, [
    { repository, pipeline, commit: packed.commit },
  ]);
  for (const { tag, change, version, at } of proven) {
    const message = `${tag}: ${change} of ${version} is proven\n\nThe pipeline ${pipeline} passed.`;
    await lastingCommitActivities.pushCandidate.executeWithOptions({ summary: `push ${tag}` }, [
      { repository, packed, tag, message, at },
    ]);
  }
}

/** Tags of the earlier failures that a pass supersedes: the commit descends from theirs, or the person says so. */
async function superseded(
  { repository, supersedes }: Given,
  packed: PackedCommit,
  evolution: FoundEvolution,
): Promise<readonly string[]> {
  const attempts = await ledgerActivities.failedAttempts.executeWithOptions({ summary: 'earlier failures' }, [
    evolution,
  ]);
  const commits = attempts.flatMap(({ commit }) => commit ?? []);
  if (commits.length === 0 && supersedes.length === 0) return [];
  const ancestors =
    commits.length === 0
      ? []
      : await commitActivities.findAncestors.executeWithOptions({ summary: 'which of them it descends from' }, [
          { repository, packed, commits },
        ]);
  return attempts
    .filter(({ tag, commit }) => supersedes.includes(tag) || (commit !== null && ancestors.includes(commit)))
    .map(({ tag }) => tag);
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
