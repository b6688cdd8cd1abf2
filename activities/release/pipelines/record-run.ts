import type { RunPipelineResult } from '../../../domain/release/flows/pipeline-flows.ts';
import type { JobEnd } from '../../../domain/release/pipelines/schedule.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';

/** A run of a pipeline as it is recorded. */
export interface RecordedRun extends RunPipelineResult {
  readonly branch: string | null;
  readonly event: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly by: string;
  readonly workflowId: string;
}

const STATUS = { passed: 'pass', failed: 'fail', skipped: 'skipped', cancelled: 'cancelled' } as const satisfies Record<
  JobEnd,
  string
>;

/** Records a run with its jobs in one transaction. Does nothing when the run is recorded. */
export async function recordRun(ledger: LedgerDatabase, run: RecordedRun): Promise<void> {
  const {
    run: runId,
    workflowId,
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
  } = run;
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
    if (added.numInsertedOrUpdatedRows === 0n || jobs.length === 0) return;
    await trx
      .insertInto('pipeline_jobs')
      .values(
        jobs.map(({ id, end, attempts, steps, outputs, log, startedAt: began, durationMs }) => {
          const last = steps.at(-1);
          return {
            pipeline_run_id: runId,
            job: id,
            attempt: Math.max(1, attempts),
            status: STATUS[end],
            exit_code: last?.exitCode ?? null,
            signal: last?.exitCode == null ? (last?.signal ?? null) : null,
            duration: durationMs / 1_000,
            command_digest: last?.commandDigest ?? null,
            log_blob: log?.digest ?? null,
            outputs: JSON.stringify(outputs),
            steps: JSON.stringify(steps),
            started_at: began,
            completed_at: began === null ? null : new Date(Date.parse(began) + durationMs),
          };
        }),
      )
      .execute();
    const kept = jobs.flatMap(({ id, artifacts }) => (artifacts === null ? [] : [{ id, digest: artifacts.digest }]));
    if (kept.length === 0) return;
    await trx
      .insertInto('evidence')
      .values(
        kept.map(({ id, digest }) => ({
          digest,
          kind: 'artifacts',
          subject: `pipeline run ${runId}, job ${id}`,
          repository,
          blob: digest,
        })),
      )
      .execute();
  });
}
