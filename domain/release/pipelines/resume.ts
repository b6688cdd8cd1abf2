import type { RunJobOutcome } from '../flows/pipeline-flows.ts';
import type { PlannedJob } from './plan.ts';

/** Asks what a run that starts from a job can keep of the latest one of the same plan at the same commit. */
export interface FindEarlierRun {
  readonly repository: string;
  readonly pipeline: string;
  readonly commit: string;
  /** Digest of the plan of both runs. */
  readonly plan: string;
  readonly jobs: readonly EarlierJob[];
  /** Id or name of a job. */
  readonly from: string;
}

/** What a run keeps of an earlier one. */
export interface EarlierRun {
  /** Jobs that passed, and need no job that runs again. */
  readonly kept: readonly RunJobOutcome[];
  readonly sandbox: string | null;
}

/** A job of a run, as far as a later run of the same plan needs it. */
type EarlierJob = Pick<PlannedJob, 'id' | 'job' | 'needs' | 'deploy'>;

/**
 * The jobs of a plan that a run starting from a job repeats: that job (all combinations of its matrix, or the one with
 * this id), the jobs that have not passed or that deploy, and all that need one of these. Null when the plan has no such job.
 */
export function jobsToRepeat(
  jobs: readonly EarlierJob[],
  from: string,
  passed: ReadonlySet<string>,
): ReadonlySet<string> | null {
  const first = jobs.filter(({ id, job }) => id === from || job === from);
  if (first.length === 0) return null;
  // an environment may have something else by now
  const again = jobs.filter(({ id, deploy }) => !passed.has(id) || deploy !== null);
  const repeated = new Set([...first, ...again].map(({ id }) => id));
  for (let size = 0; size < repeated.size;) {
    size = repeated.size;
    for (const { id, needs } of jobs) if (needs.some((need) => repeated.has(need))) repeated.add(id);
  }
  return repeated;
}
