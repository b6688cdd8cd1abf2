import type { RunJobOutcome } from '../flows/pipeline-flows.ts';
import type { Pipeline } from '../contracts/pipeline.schema.ts';

/** A required step in the run that is to prove a change. */
export interface ProvenStep {
  readonly step: string;
  /** Id of the job that ran it; null when none did. */
  readonly job: string | null;
  /** Null when it did not run, or did not exit by itself. */
  readonly exitCode: number | null;
  readonly durationMs: number;
  /** SHA-256 of its command; null when it did not run. */
  readonly commandDigest: string | null;
}

/** True when a required step ran to exit code 0. */
export function isProven({ exitCode }: ProvenStep): boolean {
  return exitCode === 0;
}

/**
 * The required steps in a run of a pipeline: what really ran counts, not what the pipeline promises. A step counts in
 * every combination of its job that ran, so the worst result is returned; jobs that may fail do not count, nor do
 * skipped jobs. Of a job with several attempts the last counts.
 */
export function provenSteps(
  required: readonly string[],
  pipeline: Pipeline,
  outcomes: readonly (Pick<RunJobOutcome, 'id' | 'steps'> & { readonly job: string })[],
): ProvenStep[] {
  const counted = outcomes.filter(({ job }) => pipeline.jobs[job]?.allow_failure === false);
  return required.map((step): ProvenStep => {
    const found = counted.flatMap(({ id, job, steps }) => {
      if (!pipeline.jobs[job]?.steps.some(({ name }) => name === step)) return [];
      const result = steps.find(({ name }) => name === step);
      if (result === undefined) return [];
      const { exitCode, ended, durationMs, commandDigest } = result;
      return [{ step, job: id, exitCode: ended === null ? exitCode : null, durationMs, commandDigest }];
    });
    const bad = found.find((one) => !isProven(one));
    return bad ?? found[0] ?? { step, job: null, exitCode: null, durationMs: 0, commandDigest: null };
  });
}

/** Why a required step proves nothing, as a sentence. */
export function describeStep({ step, job, exitCode }: ProvenStep): string {
  if (job === null) return `The required step ${step} did not run.`;
  return `The required step ${step} ${exitCode === null ? 'did not exit by itself' : `failed with exit code ${exitCode}`}.`;
}
