import type { RunJobOutcome } from '../flows/pipeline-flows.ts';
import type { Pipeline } from '../contracts/pipeline.schema.ts';

/** A required step in the run that is to prove a change. */
export interface ProvenStep {
  readonly step: string;
  /** Id of the job that ran it, or should have; null when the pipeline has none that must pass. */
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
 * The required steps in a run of a pipeline: what really ran counts, not what the pipeline promises. Every job that has
 * the step must have run it, in every combination, so the worst result is returned: a job that was skipped leaves the
 * step unproven, although another one ran a step with this name. Jobs that may fail do not count. Of a job with several
 * attempts the last counts.
 */
export function provenSteps(
  required: readonly string[],
  pipeline: Pipeline,
  outcomes: readonly (Pick<RunJobOutcome, 'id' | 'steps'> & { readonly job: string })[],
): ProvenStep[] {
  const jobs = Object.entries(pipeline.jobs).filter(([, job]) => !job.allow_failure);
  return required.map((step): ProvenStep => {
    const missing: ProvenStep = { step, job: null, exitCode: null, durationMs: 0, commandDigest: null };
    const found = jobs
      .filter(([, { steps }]) => steps.some(({ name }) => name === step))
      .flatMap(([name]): ProvenStep[] => {
        const ofJob = outcomes.filter(({ job }) => job === name);
        if (ofJob.length === 0) return [{ ...missing, job: name }];
        return ofJob.map(({ id, steps }) => {
          const result = steps.find((each) => each.name === step);
          if (result === undefined) return { ...missing, job: id };
          const { exitCode, ended, durationMs, commandDigest } = result;
          return { step, job: id, exitCode: ended === null ? exitCode : null, durationMs, commandDigest };
        });
      });
    return found.find((one) => !isProven(one)) ?? found[0] ?? missing;
  });
}

/** Why a run of a pipeline proves nothing in which no job passed, as a sentence: what did not run cannot fail either. */
export function describeNothing(pipeline: string): string {
  return `No job of the pipeline ${pipeline} passed: all were skipped, or may fail.`;
}

/** Why a required step proves nothing, as a sentence. */
export function describeStep({ step, job, exitCode, commandDigest }: ProvenStep): string {
  if (commandDigest === null)
    return `The required step ${step} did not run${job === null ? '' : ` in the job ${job}`}.`;
  return `The required step ${step} ${exitCode === null ? 'did not exit by itself' : `failed with exit code ${exitCode}`}.`;
}
