import type { PlannedJob, RunPlan } from './plan.ts';

/** How a job of a run ended. */
export type JobEnd = 'passed' | 'failed' | 'skipped' | 'cancelled';

/** A job that will not run, and why. */
export interface SkippedJob {
  readonly id: string;
  readonly why: string;
}

/** What to do next in a run. */
export interface NextJobs {
  readonly start: readonly PlannedJob[];
  readonly skip: readonly SkippedJob[];
}

/** The ends of jobs by id. */
export type Ends = Readonly<Record<string, JobEnd>>;

/**
 * The jobs whose needs have ended, and the jobs that cannot run any more. A job that may fail counts as passed for the
 * jobs that need it. After too many failures only jobs start that run after failures. `started` are ids of jobs that are
 * running or have ended.
 */
export function nextJobs({ jobs, failFast, maxFailures }: RunPlan, started: ReadonlySet<string>, ends: Ends): NextJobs {
  const byId = new Map(jobs.map((job) => [job.id, job]));
  const failures = jobs.filter(({ id, allowFailure }) => ends[id] === 'failed' && !allowFailure).length;
  const isStopped = (failFast && failures > 0) || (maxFailures !== null && failures >= maxFailures);
  const start: PlannedJob[] = [];
  const skip: SkippedJob[] = [];
  for (const job of jobs) {
    if (started.has(job.id)) continue;
    if (isStopped && job.result === 'success')
      skip.push({ id: job.id, why: `${failures} ${failures === 1 ? 'job' : 'jobs'} failed` });
    else if (job.skipped !== null) skip.push({ id: job.id, why: job.skipped });
    else if (job.needs.every((id) => ends[id] !== undefined)) {
      const why = reasonNotToRun(job, byId, ends);
      if (why === null) start.push(job);
      else skip.push({ id: job.id, why });
    }
  }
  return { start, skip };
}

function reasonNotToRun(
  { needs, result }: PlannedJob,
  byId: ReadonlyMap<string, PlannedJob>,
  ends: Ends,
): string | null {
  if (result === 'always') return null;
  const bad = needs.find((id) => ends[id] !== 'passed' && !(ends[id] === 'failed' && byId.get(id)?.allowFailure));
  if (result === 'success')
    return bad === undefined ? null : `${bad} ${ends[bad] === 'failed' ? 'failed' : `was ${ends[bad]}`}`;
  return needs.some((id) => ends[id] === 'failed') ? null : 'no job that it needs failed';
}

/** How a run ended whose jobs have all ended: it fails when a job failed that must not. */
export function endOfRun({ jobs }: RunPlan, ends: Ends): 'passed' | 'failed' {
  return jobs.some(({ id, allowFailure }) => ends[id] === 'failed' && !allowFailure) ? 'failed' : 'passed';
}
