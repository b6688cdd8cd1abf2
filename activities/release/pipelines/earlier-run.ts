import { jobsToRepeat } from '../../../domain/release/pipelines/resume.ts';
import type { EarlierRun, FindEarlierRun } from '../../../domain/release/pipelines/resume.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { readRunResult } from './run-result.ts';

/** See `LedgerActivities.findEarlierRun`. */
export async function findEarlierRun(
  { ledger, blobs }: LedgerTools,
  { repository, pipeline, commit, plan, jobs, from }: FindEarlierRun,
): Promise<EarlierRun> {
  const at = `${pipeline} of ${repository} at ${commit.slice(0, 12)}`;
  const latest = await ledger
    .selectFrom('pipeline_runs')
    .select('pipeline_run_id as run')
    .where('repository', '=', repository)
    .where('pipeline', '=', pipeline)
    .where('commit', '=', commit)
    .where('pipeline_digest', '=', plan)
    .where('completed_at', 'is not', null)
    .orderBy('completed_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (latest === undefined) {
    throw new LonghaulError('InvalidInput', `There is no earlier run of ${at} with the same jobs: run all of it.`);
  }
  const result = await readRunResult({ ledger, blobs }, latest.run);
  const passed = (result?.jobs ?? []).filter(({ end }) => end === 'passed');
  const repeated = jobsToRepeat(jobs, from, new Set(passed.map(({ id }) => id)));
  if (repeated === null) {
    throw new LonghaulError('InvalidInput', `${at} has no job ${from}: ${jobs.map(({ id }) => id).join(', ')}.`);
  }
  return {
    sandbox: result?.sandbox ?? null,
    // a job that was kept already ran in the run that is named there
    kept: passed
      .filter(({ id }) => !repeated.has(id))
      .map((job) => ({ ...job, resumedFrom: job.resumedFrom ?? latest.run })),
  };
}
