import { exceptionsOf, judgeQuality } from '../../../domain/release/quality/judge.ts';
import type { JudgedQuality, JudgeQuality } from '../../../domain/release/pipelines/job.ts';
import type { JobReports } from '../../../domain/release/quality/report.ts';
import type { LedgerTransaction } from '../../ledger/open-ledger.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { openReports } from '../reports/read-reports.ts';
import { readPlan } from './stored-plan.ts';

/** See `LedgerActivities.judgeQuality`. */
export async function judgeReports(
  { ledger, blobs }: LedgerTools,
  { repository, pipeline, branch, plan, reports, day }: JudgeQuality,
): Promise<JudgedQuality> {
  const { quality } = (await readPlan(blobs, plan)).pipeline;
  if (quality === undefined) return { rules: [], exceptions: [] };
  const base = quality.findings?.compared_with ?? null;
  const known = base === null ? null : await knownFindings(ledger, { repository, pipeline, branch: base });
  const facts = {
    reports: await Promise.all(reports.map((digest) => openReports(blobs, digest))),
    known,
    isBaseline: base !== null && branch === base,
    day,
  };
  return { rules: judgeQuality(quality, facts), exceptions: exceptionsOf(quality, day) };
}

/** The findings of the last run of a pipeline on a branch that passed; null when there is none. */
async function knownFindings(
  ledger: LedgerTools['ledger'],
  { repository, pipeline, branch }: { readonly repository: string; readonly pipeline: string; readonly branch: string },
): Promise<ReadonlySet<string> | null> {
  const latest = await ledger
    .selectFrom('pipeline_runs')
    .select('pipeline_run_id as run')
    .where('repository', '=', repository)
    .where('pipeline', '=', pipeline)
    .where('branch', '=', branch)
    .where('status', '=', 'pass')
    .orderBy('completed_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (latest === undefined) return null;
  const rows = await ledger
    .selectFrom('findings')
    .select('fingerprint')
    .distinct()
    .where('pipeline_run_id', '=', latest.run)
    .execute();
  return new Set(rows.map(({ fingerprint }) => fingerprint));
}

/** Rows of one statement: PostgreSQL has at most 65,535 parameters. */
const ROWS = 5_000;

const TEST_STATUS = { passed: 'pass', failed: 'fail', skipped: 'skipped' } as const;

/** Records what the reports of a job of a run say. */
export async function recordReports(
  trx: LedgerTransaction,
  blobs: BlobStore,
  { run, job, digest }: { readonly run: string; readonly job: string; readonly digest: string },
): Promise<void> {
  const { tests, coverage, findings } = await openReports(blobs, digest);
  const of = { pipeline_run_id: run, job };
  for (const rows of portions(tests)) {
    await trx
      .insertInto('test_results')
      .values(
        rows.map(([position, { name, status, durationMs, message }]) => ({
          ...of,
          position,
          name: storable(name),
          status: TEST_STATUS[status],
          duration: durationMs === null ? null : durationMs / 1_000,
          message: message === null ? null : storable(message),
        })),
      )
      .execute();
  }
  for (const rows of portions(byPath(coverage))) {
    await trx
      .insertInto('coverage')
      .values(rows.map(([, { path, lines, covered }]) => ({ ...of, path: storable(path), lines, covered })))
      .execute();
  }
  for (const rows of portions(findings)) {
    await trx
      .insertInto('findings')
      .values(
        rows.map(([position, { path, message, rule, ...rest }]) => ({
          ...of,
          ...rest,
          position,
          rule: storable(rule),
          path: path === null ? null : storable(path),
          message: storable(message),
        })),
      )
      .execute();
  }
}

/** Several reports of a job may have the same file: the best one counts. */
function byPath(files: JobReports['coverage']): JobReports['coverage'] {
  const best = new Map<string, JobReports['coverage'][number]>();
  for (const file of files) if (file.covered >= (best.get(file.path)?.covered ?? 0)) best.set(file.path, file);
  return [...best.values()];
}

function portions<Row>(rows: readonly Row[]): [number, Row][][] {
  const numbered = [...rows.entries()];
  return Array.from({ length: Math.ceil(rows.length / ROWS) }, (_, at) => numbered.slice(at * ROWS, (at + 1) * ROWS));
}

/** PostgreSQL stores no NUL, and no half of a surrogate pair. */
function storable(text: string): string {
  return Buffer.from(text.replaceAll('\0', '\uFFFD')).toString('utf8');
}
