import type { FindBaselines } from '../../../domain/release/pipelines/job.ts';
import type { LedgerTools } from '../ledger-tools.ts';

/** Commits whose findings may be known: the latest ones. */
const MOST_BASELINES = 200;

/**
 * See `LedgerActivities.findBaselines`. A run without a report of findings is none of them, and neither is one whose
 * whole rule was waived.
 */
export async function findBaselines(
  ledger: LedgerTools['ledger'],
  { repository, pipeline }: FindBaselines,
): Promise<readonly string[]> {
  const rows = await baselineRuns(ledger, { repository, pipeline })
    .select('pipeline_runs.commit')
    .groupBy('pipeline_runs.commit')
    .orderBy(({ fn }) => fn.max('pipeline_runs.completed_at'), 'desc')
    .limit(MOST_BASELINES)
    .execute();
  return rows.map(({ commit }) => commit);
}

/** Fingerprints of the findings of the latest such run at a commit, without those that only a waiver let pass. */
export async function knownFindings(
  ledger: LedgerTools['ledger'],
  { commit, ...of }: FindBaselines & { readonly commit: string },
): Promise<ReadonlySet<string> | null> {
  const latest = await baselineRuns(ledger, of)
    .select('pipeline_runs.pipeline_run_id as run')
    .where('pipeline_runs.commit', '=', commit)
    .orderBy('pipeline_runs.completed_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (latest === undefined) return null;
  const rows = await ledger
    .selectFrom('findings')
    .select('fingerprint')
    .distinct()
    .where('pipeline_run_id', '=', latest.run)
    .where('is_waived', '=', false)
    .execute();
  return new Set(rows.map(({ fingerprint }) => fingerprint));
}

/** Passed runs of a pipeline that have kept the rule for findings. */
function baselineRuns(ledger: LedgerTools['ledger'], { repository, pipeline }: FindBaselines) {
  return ledger
    .selectFrom('pipeline_runs')
    .innerJoin('quality_results', 'quality_results.pipeline_run_id', 'pipeline_runs.pipeline_run_id')
    .where('pipeline_runs.repository', '=', repository)
    .where('pipeline_runs.pipeline', '=', pipeline)
    .where('pipeline_runs.status', '=', 'pass')
    .where('quality_results.rule', '=', 'findings')
    .where('quality_results.status', '=', 'pass');
}
