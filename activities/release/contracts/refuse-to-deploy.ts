import { type Pipeline, undeployable } from '../../../domain/release/contracts/pipeline.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';

/** Throws `CannotDeploy` for a pipeline with a job that deploys: such a job is never skipped silently. */
export function refuseToDeploy(pipeline: Pipeline): void {
  const [job] = undeployable(pipeline);
  if (job !== undefined) throw new LonghaulError('CannotDeploy', job);
}
