import { type RawBuilder, sql } from 'kysely';
import { APPROVAL_PROOF } from '../../../activities/release/evolutions/approval-proof.ts';
import type { LedgerDatabase } from '../../../activities/ledger/open-ledger.ts';

/** Which rows of a list are read. */
export interface Rows {
  readonly from: number;
  readonly most: number;
}

/** A generation in a list. */
export interface GenerationRow {
  readonly id: string;
  readonly repository: string;
  readonly version: string;
  readonly status: string;
  readonly description: string;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly promotedAt: Date | null;
  readonly promotedBy: string | null;
  readonly commit: string | null;
  readonly changes: number;
  readonly proven: number;
  readonly evolutions: number;
}

/** Reads generations, newest first; those of one repository, or of all (null). */
export function readGenerations(
  ledger: LedgerDatabase,
  repository: string | null,
  { from, most }: Rows,
): Promise<GenerationRow[]> {
  return ledger
    .selectFrom('generations')
    .select(generationColumns)
    .$if(repository !== null, (query) => query.where('repository', '=', repository ?? ''))
    .orderBy('created_at', 'desc')
    .orderBy('generation_id')
    .offset(from)
    .limit(most)
    .execute();
}

/** A generation with what its page shows in addition. */
export interface ShownGeneration extends GenerationRow {
  /** Whether the approvals prove who gave them; null for a draft, and when no people were asked. */
  readonly isApprovalProved: boolean | null;
}

/** Reads a generation; null when there is none. */
export async function readGenerationRow(ledger: LedgerDatabase, id: string): Promise<ShownGeneration | null> {
  const query = ledger
    .selectFrom('generations')
    .select(generationColumns)
    .select(sql.raw<boolean | null>(APPROVAL_PROOF).as('isApprovalProved'))
    .where('generation_id', '=', id);
  return (await query.executeTakeFirst()) ?? null;
}

function generationColumns() {
  return [
    'generation_id as id',
    'repository',
    'version',
    'status',
    'description',
    'created_at as createdAt',
    'created_by as createdBy',
    'promoted_at as promotedAt',
    'promoted_by as promotedBy',
    'commit',
    countOf('generation_changes c').as('changes'),
    countOf('generation_changes c', "c.status = 'proven'").as('proven'),
    countOf('evolutions c').as('evolutions'),
  ] as const;
}

/** The number of rows that belong to the generation of the query. */
function countOf(table: string, condition = 'true'): RawBuilder<number> {
  return sql<number>`(SELECT count(*) FROM ${sql.raw(table)} WHERE c.generation_id = generations.generation_id AND ${sql.raw(condition)})`;
}

/** A change of a generation. */
export interface ChangeRow {
  readonly id: string;
  readonly type: string;
  readonly title: string;
  readonly team: string | null;
  readonly status: string;
  readonly evolutions: number;
}

/** Reads changes of a generation, in the order of the contract. */
export function readChanges(ledger: LedgerDatabase, generation: string, { from, most }: Rows): Promise<ChangeRow[]> {
  return ledger
    .selectFrom('generation_changes as c')
    .select([
      'change_id as id',
      'type',
      'title',
      'team',
      'status',
      sql<number>`(SELECT count(*) FROM evolutions e WHERE e.generation_id = c.generation_id AND e.change_id = c.change_id)`.as(
        'evolutions',
      ),
    ])
    .where('generation_id', '=', generation)
    .orderBy('position')
    .offset(from)
    .limit(most)
    .execute();
}

/** An evolution of a generation. */
export interface EvolutionRow {
  readonly tag: string;
  readonly change: string;
  readonly status: string;
  readonly pipeline: string | null;
  readonly commit: string | null;
  readonly run: string | null;
  readonly team: string | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly completedAt: Date | null;
  /** For a failure: the tag of the first later one of the same change that passed; null when there is none. */
  readonly supersededBy: string | null;
}

/** Reads evolutions of a generation, the newest first. */
export function readEvolutions(
  ledger: LedgerDatabase,
  generation: string,
  { from, most }: Rows,
): Promise<EvolutionRow[]> {
  const later = sql<string | null>`(SELECT l.tag FROM evolutions l WHERE e.status = 'fail'
    AND l.generation_id = e.generation_id AND l.change_id = e.change_id AND l.rc > e.rc AND l.status = 'pass'
    ORDER BY l.rc LIMIT 1)`;
  return ledger
    .selectFrom('evolutions as e')
    .select([
      'tag',
      'change_id as change',
      'status',
      'pipeline',
      'commit',
      'pipeline_run_id as run',
      'team',
      'created_by as createdBy',
      'created_at as createdAt',
      'completed_at as completedAt',
      later.as('supersededBy'),
    ])
    .where('generation_id', '=', generation)
    .orderBy('rc', 'desc')
    .offset(from)
    .limit(most)
    .execute();
}

/** A run of a pipeline. */
export interface PipelineRunRow {
  readonly id: string;
  readonly repository: string;
  readonly pipeline: string;
  readonly commit: string;
  readonly branch: string | null;
  readonly event: string;
  readonly status: string;
  readonly workflowId: string | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly completedAt: Date | null;
}

const RUN_COLUMNS = [
  'pipeline_run_id as id',
  'repository',
  'pipeline',
  'commit',
  'branch',
  'event',
  'status',
  'workflow_id as workflowId',
  'created_by as createdBy',
  'created_at as createdAt',
  'started_at as startedAt',
  'completed_at as completedAt',
] as const;

/** Reads runs of pipelines, newest first; those of one repository, or of all (null). */
export function readPipelineRuns(
  ledger: LedgerDatabase,
  repository: string | null,
  { from, most }: Rows,
): Promise<PipelineRunRow[]> {
  return ledger
    .selectFrom('pipeline_runs')
    .select(RUN_COLUMNS)
    .$if(repository !== null, (query) => query.where('repository', '=', repository ?? ''))
    .orderBy('created_at', 'desc')
    .orderBy('pipeline_run_id')
    .offset(from)
    .limit(most)
    .execute();
}

/** Reads a run of a pipeline; null when there is none. */
export async function readPipelineRun(ledger: LedgerDatabase, id: string): Promise<PipelineRunRow | null> {
  const query = ledger.selectFrom('pipeline_runs').select(RUN_COLUMNS).where('pipeline_run_id', '=', id);
  return (await query.executeTakeFirst()) ?? null;
}

/** An attempt of a job. */
export interface JobRow {
  readonly job: string;
  readonly attempt: number;
  readonly status: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** In seconds. */
  readonly duration: number | null;
  /** Digest of its log in the blob store. */
  readonly log: string | null;
  /** Its steps, as the run recorded them. */
  readonly steps: readonly Readonly<Record<string, unknown>>[];
}

/** Reads the jobs of a run of a pipeline; one attempt of one job, or all. */
export function readJobs(
  ledger: LedgerDatabase,
  run: string,
  { job, attempt }: { readonly job?: string; readonly attempt?: number } = {},
): Promise<JobRow[]> {
  return ledger
    .selectFrom('pipeline_jobs')
    .select(['job', 'attempt', 'status', 'exit_code as exitCode', 'signal', 'duration', 'log_blob as log', 'steps'])
    .where('pipeline_run_id', '=', run)
    .$if(job !== undefined, (query) => query.where('job', '=', job ?? ''))
    .$if(attempt !== undefined, (query) => query.where('attempt', '=', attempt ?? 0))
    .orderBy('started_at')
    .orderBy('job')
    .orderBy('attempt')
    .execute();
}
