import type { Pipeline, PipelineJob } from '../contracts/pipeline.schema.ts';
import { type Combination, combinationsOf, idOfJob } from '../contracts/matrix.ts';
import { LonghaulError } from '../../shared/failures.ts';
import { matchesBranch } from '../../git/branch.ts';

/** What starts a run of a pipeline. */
export type RunEvent = 'manual' | 'evolution' | 'push' | 'promotion';

/** What a run of a pipeline knows about its commit; conditions of jobs are decided by it. */
export interface RunContext {
  readonly event: RunEvent;
  /** The branch that the run is for; null for a commit alone. */
  readonly branch: string | null;
  /** True when a path that differs from the first parent matches one of these patterns. Not asked for a promotion. */
  readonly hasChanged: (patterns: readonly string[]) => boolean;
}

/** A job of a run: one combination of the matrix of a declared job. */
export interface PlannedJob {
  /** Unique in the run: `test`, or `test (linux, 22)` with the values of its matrix. */
  readonly id: string;
  /** The declared job. */
  readonly job: string;
  /** The values of its matrix, in the order of its axes. */
  readonly matrix: Combination;
  /** Ids of the jobs that must have ended before. */
  readonly needs: readonly string[];
  /** How they must have ended. */
  readonly result: 'success' | 'failure' | 'always';
  readonly allowFailure: boolean;
  /** Further attempts after a failure. */
  readonly retries: number;
  readonly timeoutSeconds: number;
  /** The environment that it deploys to, in place of steps; null for a job with steps. */
  readonly deploy: string | null;
  /** Why it does not run, whatever the others do; null when it may. */
  readonly skipped: string | null;
}

/** The jobs of a run in the order of the file, and when to stop. */
export interface RunPlan {
  readonly pipeline: string;
  readonly failFast: boolean;
  /** Failed jobs after which no further one starts; null for no limit. */
  readonly maxFailures: number | null;
  readonly jobs: readonly PlannedJob[];
}

/** The most jobs of a run: its plan and results are part of a workflow's history. */
export const MOST_JOBS = 500;

/** Plans a run: expands matrices, and decides which jobs the context skips. Throws `InvalidConfiguration`. */
export function planRun(pipeline: Pipeline, context: RunContext): RunPlan {
  const expanded = new Map(
    Object.entries(pipeline.jobs).map(([name, job]) => [name, job.matrix ? combinationsOf(job.matrix) : [{}]]),
  );
  const idsOf = (name: string): string[] => (expanded.get(name) ?? []).map((combination) => idOfJob(name, combination));
  const jobs = Object.entries(pipeline.jobs).flatMap(([name, job]) => {
    const skipped = reasonToSkip(job, context);
    return (expanded.get(name) ?? []).map((matrix): PlannedJob => ({
      id: idOfJob(name, matrix),
      job: name,
      matrix,
      needs: job.needs.flatMap(idsOf),
      result: job.if.result,
      allowFailure: job.allow_failure,
      retries: job.retries,
      timeoutSeconds: job.timeout,
      deploy: job.deploy ?? null,
      skipped,
    }));
  });
  if (jobs.length > MOST_JOBS) {
    throw new LonghaulError(
      'InvalidConfiguration',
      `The pipeline ${pipeline.name} has ${jobs.length} jobs: a run may have ${MOST_JOBS}.`,
    );
  }
  return {
    pipeline: pipeline.name,
    failFast: pipeline.fail_fast,
    maxFailures: pipeline.max_failures ?? null,
    jobs,
  };
}

function reasonToSkip({ if: condition }: PipelineJob, { event, branch, hasChanged }: RunContext): string | null {
  const { branch: branches, event: events, changed } = condition;
  if (events !== undefined && !events.includes(event)) return `it runs on ${events.join(', ')}`;
  if (branches !== undefined && (branch === null || !matchesBranch(branches, branch))) {
    return `it runs on the branches ${branches.join(', ')}`;
  }
  // a release has more changes than its last commit
  if (changed !== undefined && event !== 'promotion' && !hasChanged(changed))
    return `nothing changed in ${changed.join(', ')}`;
  return null;
}
