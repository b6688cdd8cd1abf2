import { Readable } from 'node:stream';
import type { RunJobOutcome, RunPipelineResult } from '../../../domain/release/flows/pipeline-flows.ts';
import type { JobEnd } from '../../../domain/release/pipelines/schedule.ts';
import { recordReports, recordTests } from './run-reports.ts';
import { recordEvent } from '../../ledger/audit.ts';
import { ARTIFACTS_KIND, RESULT_KIND, subjectOfJob, subjectOfRun } from './run-result.ts';
import type { LedgerTransaction } from '../../ledger/open-ledger.ts';
import { readJson } from './stored-plan.ts';
import { recordTakenBack, takeBackProofs } from '../evolutions/take-back.ts';
import type { RunningFlow } from '../../ledger/acting-flow.ts';
import type { LedgerTools } from '../ledger-tools.ts';

/** A run of a pipeline as it is recorded. */
export interface RecordedRun extends RunPipelineResult {
  readonly branch: string | null;
  readonly event: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly by: string;
}

const STATUS = { passed: 'pass', failed: 'fail', skipped: 'skipped', cancelled: 'cancelled' } as const satisfies Record<
  JobEnd,
  string
>;

const RULE_STATUS = { passed: 'pass', failed: 'fail', waived: 'waived' } as const;

/**
 * Records a run with its jobs in one transaction; the complete result is a blob. Does nothing when the run is recorded.
 */
export async function recordRun(
  { ledger, blobs, cancelledBy }: LedgerTools,
  run: RecordedRun,
  { workflowId, who }: Omit<RunningFlow, 'runId'>,
): Promise<void> {
  const {
    run: runId,
    repository,
    pipeline,
    plan,
    commit,
    tree,
    branch,
    event,
    by,
    startedAt,
    status,
    jobs,
    sandbox,
    quality,
  } = run;
  const result = {
    run: runId,
    status,
    repository,
    pipeline,
    commit,
    tree,
    plan,
    sandbox,
    jobs,
    quality,
  } satisfies RunPipelineResult;
  const { digest: stored } = await blobs.put(Readable.from([Buffer.from(JSON.stringify(result))]));
  const canceller = status === 'cancelled' ? await cancelledBy({ workflowId, runId }) : null;
  const waived = new Set(quality.waived === null ? [] : ((await readJson(blobs, quality.waived)) as string[]));
  await ledger.transaction().execute(async (trx) => {
    const added = await trx
      .insertInto('pipeline_runs')
      .values({
        pipeline_run_id: runId,
        repository,
        pipeline,
        pipeline_digest: plan,
        commit,
        tree,
        branch,
        event,
        status: STATUS[status],
        workflow_id: workflowId,
        run_id: runId,
        created_by: by,
        started_at: startedAt,
        completed_at: new Date(),
      })
      .onConflict((conflict) => conflict.column('pipeline_run_id').doNothing())
      .executeTakeFirst();
    if (added.numInsertedOrUpdatedRows === 0n) return;
    if (jobs.length > 0) await recordJobs(trx, run);
    for (const { id: job, reports, attempts: attempt, earlier, resumedFrom } of jobs) {
      const of = { run: runId, job };
      // those of a job that was kept are in the run in which it ran
      const before = resumedFrom === null ? earlier : [];
      for (const [at, { reports: others }] of before.entries()) {
        if (others !== null) await recordTests(trx, blobs, { ...of, attempt: at + 1, digest: others.digest });
      }
      if (reports !== null) await recordReports(trx, blobs, { ...of, attempt, digest: reports.digest, waived });
    }
    if (quality.rules.length > 0) await recordRules(trx, run);
    const kept = jobs.flatMap(({ id, artifacts }) =>
      artifacts === null ? [] : [{ kind: ARTIFACTS_KIND, subject: subjectOfJob(runId, id), digest: artifacts.digest }],
    );
    const evidence = [{ kind: RESULT_KIND, subject: subjectOfRun(runId), digest: stored }, ...kept];
    await trx
      .insertInto('evidence')
      .values(evidence.map((one) => ({ ...one, repository, blob: one.digest })))
      .execute();
    const taken = { run: runId, workflowId, repository, pipeline, commit, who };
    const proofs = status === 'failed' ? await takeBackProofs(trx, taken) : [];
    // appended last: other appends wait from here on
    await recordEvent(trx, {
      event_type: `pipeline.${status}`,
      repository,
      resource_type: 'pipeline run',
      resource_id: runId,
      action: 'run',
      status: status === 'passed' ? 'success' : 'failure',
      ...who,
      workflow_id: workflowId,
      run_id: runId,
      why: canceller?.why ?? null,
      details: {
        pipeline,
        commit,
        tree,
        branch,
        event,
        plan,
        ...(canceller === null ? {} : { cancelledBy: canceller.name }),
      },
    });
    for (const proof of proofs) await recordTakenBack(trx, taken, proof);
  });
}

async function recordJobs(trx: LedgerTransaction, { run: runId, jobs }: RecordedRun): Promise<void> {
  await trx
    .insertInto('pipeline_jobs')
    .values(
      jobs
        .flatMap(attemptsOf)
        .map(({ id, attempt, end, steps, outputs, log, startedAt: began, resumedFrom, durationMs }) => {
          const last = steps.at(-1);
          return {
            pipeline_run_id: runId,
            job: id,
            attempt,
            status: STATUS[end],
            exit_code: last?.exitCode ?? null,
            signal: last?.exitCode == null ? (last?.signal ?? null) : null,
            duration: durationMs / 1_000,
            command_digest: last?.commandDigest ?? null,
            log_blob: log?.digest ?? null,
            outputs: JSON.stringify(outputs),
            steps: JSON.stringify(steps),
            resumed_from: resumedFrom,
            started_at: began,
            completed_at: began === null ? null : new Date(Date.parse(began) + durationMs),
          };
        }),
    )
    .execute();
}

/** A row for each attempt; those before the last of a job that was kept are rows of the run in which it ran. */
function attemptsOf({ earlier, attempts, ...last }: RunJobOutcome) {
  const before = last.resumedFrom === null ? earlier : [];
  return [
    ...before.map((one, at) => ({ ...last, ...one, attempt: at + 1, end: 'failed' as const, outputs: {} })),
    { ...last, attempt: Math.max(1, attempts) },
  ];
}

async function recordRules(trx: LedgerTransaction, { run, quality: { rules } }: RecordedRun): Promise<void> {
  await trx
    .insertInto('quality_results')
    .values(
      rules.map(({ rule, status, found, waiver }) => ({
        pipeline_run_id: run,
        rule,
        status: RULE_STATUS[status],
        found,
        waiver: waiver === null ? null : JSON.stringify(waiver),
      })),
    )
    .execute();
}
