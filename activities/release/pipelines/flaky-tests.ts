import { sql } from 'kysely';
import { FLAKY_RUNS, type FlakyTest } from '../../../domain/release/quality/flaky.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';

/** Tests that an answer lists. */
const MOST_LISTED = 200;

/**
 * The flaky tests of a pipeline, the latest first: those that have both passed and failed at the same commit in its latest
 * runs that have ended, by retries or repetitions. A test that fails in one combination of a matrix only is not flaky, and
 * of several tests with one name in a report all must have passed. Jobs that were kept of an earlier run do not count twice.
 */
export async function flakyTests(
  ledger: LedgerDatabase,
  { repository, pipeline }: { readonly repository: string; readonly pipeline: string },
): Promise<readonly FlakyTest[]> {
  const { rows } = await sql<Omit<FlakyTest, 'last'> & { readonly last: Date }>`
    WITH recent AS (
      SELECT pipeline_run_id, commit, completed_at FROM pipeline_runs
      WHERE repository = ${repository} AND pipeline = ${pipeline} AND completed_at IS NOT NULL
      ORDER BY completed_at DESC LIMIT ${FLAKY_RUNS}
    ), ran AS (
      SELECT DISTINCT r.commit, r.completed_at, j.pipeline_run_id, j.job
      FROM recent r JOIN pipeline_jobs j USING (pipeline_run_id) WHERE j.resumed_from IS NULL
    ), suspects AS (
      SELECT DISTINCT t.job, t.name FROM ran JOIN test_results t USING (pipeline_run_id, job) WHERE t.status = 'fail'
    ), attempts AS (
      SELECT ran.commit, t.job, t.name, max(ran.completed_at) AS at, bool_or(t.status = 'fail') AS failed
      FROM ran JOIN test_results t USING (pipeline_run_id, job) JOIN suspects s USING (job, name)
      WHERE t.status <> 'skipped' GROUP BY ran.commit, ran.pipeline_run_id, t.job, t.attempt, t.name
    ), commits AS (
      SELECT job, name, max(at) AS at, count(*) FILTER (WHERE failed) AS failed, count(*) FILTER (WHERE NOT failed) AS passed
      FROM attempts GROUP BY commit, job, name HAVING bool_or(failed) AND NOT bool_and(failed)
    )
    SELECT job, name, count(*)::int AS commits, sum(failed)::int AS failed, sum(passed)::int AS passed, max(at) AS last
    FROM commits GROUP BY job, name ORDER BY max(at) DESC, name, job LIMIT ${MOST_LISTED}`.execute(ledger);
  return rows.map((row) => ({ ...row, last: row.last.toISOString() }));
}
