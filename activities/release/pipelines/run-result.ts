import type { RunPipelineResult } from '../../../domain/release/flows/pipeline-flows.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { readJson } from './stored-plan.ts';

/** Kind of the evidence that has the result of a run, as JSON. */
export const RESULT_KIND = 'result';

/** Kind of the evidence that has the artifacts of a job. */
export const ARTIFACTS_KIND = 'artifacts';

/** A run as the subject of evidence. */
export function subjectOfRun(run: string): string {
  return `pipeline run ${run}`;
}

/** A job of a run as the subject of evidence. */
export function subjectOfJob(run: string, job: string): string {
  return `${subjectOfRun(run)}, job ${job}`;
}

/** The complete result of a recorded run; null when the ledger has none. Throws `BlobNotFound`, `BlobDamaged`. */
export async function readRunResult(
  { ledger, blobs }: Pick<LedgerTools, 'ledger' | 'blobs'>,
  run: string,
): Promise<RunPipelineResult | null> {
  const stored = await ledger
    .selectFrom('evidence')
    .select('blob')
    .where('kind', '=', RESULT_KIND)
    .where('subject', '=', subjectOfRun(run))
    .executeTakeFirst();
  return stored === undefined ? null : ((await readJson(blobs, stored.blob)) as RunPipelineResult);
}
