import type { RunPlan } from '../pipelines/plan.ts';

/** A job that passed in the run that proved a change. */
export interface ProvingJob {
  readonly change: string;
  /** Its id. */
  readonly job: string;
}

/**
 * Why a run on the tree that is released proves less than the runs that proved the changes, a sentence for each job: it
 * passed there, and has not run on the tree. Jobs that may fail prove nothing, jobs that run after failures need not run,
 * and a job that the tree's pipeline does not have is none of its jobs any more.
 */
export function missingJobs(
  { jobs }: Pick<RunPlan, 'jobs'>,
  passed: ReadonlySet<string>,
  proving: readonly ProvingJob[],
): string[] {
  return jobs
    .filter(({ id, allowFailure, result }) => !passed.has(id) && !allowFailure && result !== 'failure')
    .flatMap(({ id, skipped }) => {
      const changes = [...new Set(proving.filter(({ job }) => job === id).map(({ change }) => change))];
      if (changes.length === 0) return [];
      return [
        `${id} passed when ${changes.join(', ')} was proven, and did not run here${skipped === null ? '' : `: ${skipped}`}.`,
      ];
    });
}
