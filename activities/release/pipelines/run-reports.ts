import { exceptionsOf, judgeQuality, waivedFindings } from '../../../domain/release/quality/judge.ts';
import type { JudgedQuality, JudgeQuality } from '../../../domain/release/pipelines/job.ts';
import type { JobReports } from '../../../domain/release/quality/report.ts';
import type { LedgerTransaction } from '../../ledger/open-ledger.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { openReports } from '../reports/read-reports.ts';
import { knownFindings } from './baseline.ts';
import { readPlan, storeJson } from './stored-plan.ts';

/** See `LedgerActivities.judgeQuality`. */
export async function judgeReports(
  { ledger, blobs }: LedgerTools,
  { repository, pipeline, plan, baseline, reports, day }: JudgeQuality,
): Promise<JudgedQuality> {
  const { quality } = (await readPlan(blobs, plan)).pipeline;
  if (quality === undefined) return { rules: [], exceptions: [], waived: null };
  const commit = baseline?.commit ?? null;
  const facts = {
    reports: await Promise.all(reports.map((digest) => openReports(blobs, digest))),
    known: commit === null ? null : await knownFindings(ledger, { repository, pipeline, commit }),
    isBaseline: baseline?.hasCommit === true,
    day,
  };
  const waived = waivedFindings(quality, facts);
  return {
    rules: judgeQuality(quality, facts),
    exceptions: exceptionsOf(quality, day),
    waived: waived.length === 0 ? null : await storeJson(blobs, waived),
  };
}

/** Rows of one statement: PostgreSQL has at most 65,535 parameters. */
const ROWS = 5_000;

const TEST_STATUS = { passed: 'pass', failed: 'fail', skipped: 'skipped' } as const;

/** The reports of an attempt of a job of a run. */
interface AttemptReports {
  readonly run: string;
  readonly job: string;
  readonly attempt: number;
  readonly digest: string;
}

/** Records the tests of an attempt. */
export async function recordTests(
  trx: LedgerTransaction,
  blobs: BlobStore,
  { run, job, attempt, digest }: AttemptReports,
): Promise<void> {
  const { tests } = await openReports(blobs, digest);
  for (const rows of portions(tests)) {
    await trx
      .insertInto('test_results')
      .values(
        rows.map(([position, { name, status, durationMs, message }]) => ({
          pipeline_run_id: run,
          job,
          attempt: Math.max(1, attempt),
          position,
          name: storable(name),
          status: TEST_STATUS[status],
          duration: durationMs === null ? null : durationMs / 1_000,
          message: message === null ? null : storable(message),
        })),
      )
      .execute();
  }
}

/**
 * Records what the reports of the last attempt of a job say. `waived` are fingerprints of findings that only a waiver lets
 * pass.
 */
export async function recordReports(
  trx: LedgerTransaction,
  blobs: BlobStore,
  { waived, ...attempt }: AttemptReports & { readonly waived: ReadonlySet<string> },
): Promise<void> {
  const { run, job, digest } = attempt;
  await recordTests(trx, blobs, attempt);
  const { coverage, findings } = await openReports(blobs, digest);
  const of = { pipeline_run_id: run, job };
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
          is_waived: waived.has(rest.fingerprint),
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
