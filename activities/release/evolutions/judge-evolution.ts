import { checkPolicies, requiredSteps } from '../../../domain/release/evolutions/policy-check.ts';
import type { JudgedEvolution, JudgeEvolution } from '../../../domain/release/evolutions/evolution.ts';
import { describeNothing, describeStep, isProven, provenSteps } from '../../../domain/release/evolutions/proof.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { recordEvent } from '../../ledger/audit.ts';
import type { LedgerTransaction } from '../../ledger/open-ledger.ts';
import { readContracts } from '../contracts/stored-contracts.ts';
import type { RunningFlow } from '../../ledger/acting-flow.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { readPlan } from '../pipelines/stored-plan.ts';
import { failedAttempts } from './supersede.ts';

/** See `LedgerActivities.judgeEvolution`. */
export async function judgeEvolution(
  { ledger, blobs }: LedgerTools,
  { evolution, result, contracts: digest, considered, supersedes }: JudgeEvolution,
  { workflowId, runId, who }: RunningFlow,
): Promise<JudgedEvolution | null> {
  const { id, version, change: changeId, tag } = evolution;
  const { run: pipelineRun, repository, commit, tree } = result;
  const contracts = await readContracts(blobs, digest, `${repository} at ${commit.slice(0, 12)}`);
  const { pipeline, plan } = await readPlan(blobs, result.plan);
  const change = contracts.generations[version]?.changes.find((each) => each.id === changeId);
  if (change === undefined) {
    throw new LonghaulError('GenerationDiffers', `${commit.slice(0, 12)} has no change ${changeId} in ${version}.`);
  }
  const runs = await runsAt(ledger, result);
  const outcomes = result.jobs.map((job) => ({
    ...job,
    job: plan.jobs.find((each) => each.id === job.id)?.job ?? '',
    steps: job.resumedFrom === null || runs.has(job.resumedFrom) ? job.steps : [],
  }));
  const steps = provenSteps(requiredSteps(contracts.policy, { change }), pipeline, outcomes);
  const violations = checkPolicies(contracts.policy, { version, change, pipeline }).flatMap((each) => each.violations);
  const ofRun = [
    ...(result.status === 'passed' ? [] : [`The pipeline ${pipeline.name} failed.`]),
    ...(outcomes.some(({ end, steps: ran }) => end === 'passed' && ran.length > 0) || result.status !== 'passed'
      ? []
      : [describeNothing(pipeline.name)]),
    ...result.quality.rules
      .filter((rule) => rule.status === 'failed')
      .map(({ rule, found }) => `The rule for ${rule} failed: ${found}.`),
    ...violations,
    ...steps.filter((step) => !isProven(step)).map(describeStep),
  ];
  const contractDigest = contracts.digestOfGeneration(version);
  const proof = {
    steps,
    pipeline: contracts.digestOf(`pipelines/${pipeline.name}`),
    policy: contracts.digestOf('policy') ?? contracts.digestOf('policies'),
    contract: contractDigest,
    sandbox: result.sandbox,
  };
  return ledger.transaction().execute(async (trx): Promise<JudgedEvolution | null> => {
    // a promotion takes the same lock: it sees this verdict, or comes before it
    await trx
      .selectFrom('generations')
      .select('generation_id')
      .where('repository', '=', repository)
      .where('version', '=', version)
      .forUpdate()
      .execute();
    const known = await trx
      .selectFrom('evolutions')
      .selectAll()
      .where('evolution_id', '=', id)
      .forUpdate()
      .executeTakeFirstOrThrow();
    if (known.completed_at !== null) {
      if (known.pipeline_run_id !== pipelineRun) {
        throw new LonghaulError('EvolutionEnded', `${tag} ended as ${known.status} in another run.`);
      }
      const { reasons: said = [] } = (known.proof ?? {}) as { reasons?: readonly string[] };
      return {
        status: known.status === 'pass' ? 'pass' : 'fail',
        reasons: said,
        steps,
        at: known.completed_at.toISOString(),
      };
    }
    const failedSince = await laterFailure(trx, result);
    const reasons =
      failedSince === null
        ? ofRun
        : [...ofRun, `The pipeline ${pipeline.name} failed on this commit later: ${failedSince}.`];
    const status = reasons.length === 0 ? 'pass' : 'fail';
    if (status === 'pass') {
      const failures = await failedAttempts(trx, evolution);
      if (failures.some((failure) => !considered.includes(failure.tag))) return null;
    }
    const at = new Date();
    await trx
      .updateTable('evolutions')
      .set({
        status,
        pipeline: pipeline.name,
        commit,
        tree,
        pipeline_run_id: pipelineRun,
        proof: JSON.stringify({ ...proof, reasons }),
        completed_at: at,
      })
      .where('evolution_id', '=', id)
      .execute();
    if (status === 'pass') {
      await trx
        .updateTable('generation_changes')
        .set({ status: 'proven' })
        .where('generation_id', '=', known.generation_id)
        .where('change_id', '=', changeId)
        .execute();
      if (supersedes.length > 0) {
        await trx
          .updateTable('evolutions')
          .set({ superseded_by: tag })
          .where('generation_id', '=', known.generation_id)
          .where('change_id', '=', changeId)
          .where('status', '=', 'fail')
          .where('tag', 'in', supersedes)
          .execute();
      }
    }
    await recordEvent(trx, {
      event_type: status === 'pass' ? 'evolution.passed' : 'evolution.failed',
      repository,
      resource_type: 'evolution',
      resource_id: tag,
      action: 'prove',
      status: status === 'pass' ? 'success' : 'failure',
      ...who,
      workflow_id: workflowId,
      run_id: runId,
      contract_digest: contractDigest,
      details: { change: changeId, commit, tree, pipeline: pipeline.name, reasons, supersedes },
    });
    return { status, reasons, steps, at: at.toISOString() };
  });
}

/** The earlier runs, of those that a run has kept jobs of, that the ledger has at its commit: others prove nothing. */
async function runsAt(ledger: LedgerTools['ledger'], { repository, commit, jobs }: JudgeEvolution['result']) {
  const named = jobs.flatMap(({ resumedFrom }) => resumedFrom ?? []);
  if (named.length === 0) return new Set<string>();
  const found = await ledger
    .selectFrom('pipeline_runs')
    .select('pipeline_run_id as run')
    .where('pipeline_run_id', 'in', named)
    .where('repository', '=', repository)
    .where('commit', '=', commit)
    .execute();
  return new Set(found.map(({ run }) => run));
}

/** The id of a run of the same pipeline that failed on the same commit after this one; null for none. */
async function laterFailure(
  trx: LedgerTransaction,
  { run, repository, pipeline, commit }: JudgeEvolution['result'],
): Promise<string | null> {
  const later = await trx
    .selectFrom('pipeline_runs as later')
    .innerJoin('pipeline_runs as own', (join) => join.on('own.pipeline_run_id', '=', run))
    .select('later.pipeline_run_id as id')
    .whereRef('later.completed_at', '>', 'own.completed_at')
    .where('later.repository', '=', repository)
    .where('later.pipeline', '=', pipeline)
    .where('later.commit', '=', commit)
    .where('later.status', '=', 'fail')
    .limit(1)
    .executeTakeFirst();
  return later?.id ?? null;
}
