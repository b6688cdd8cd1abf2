import type { DeclaredChange, Generation } from '../../../domain/release/contracts/generation.schema.ts';
import type { Pipeline } from '../../../domain/release/contracts/pipeline.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { Contracts } from '../contracts/contracts.ts';

/**
 * The pipeline that is to prove a change: the one that was asked for, that of the change, that of the generation, that of
 * the policies, or the only one. Throws `InvalidInput` that lists the pipelines when that leaves a choice.
 */
export function choosePipeline(
  { pipelines, policy }: Pick<Contracts, 'pipelines' | 'policy'>,
  asked: string | undefined,
  { change, generation }: { readonly change: DeclaredChange; readonly generation: Generation },
): Pipeline {
  const names = Object.keys(pipelines);
  const only = names.length === 1 ? names[0] : undefined;
  const name = asked ?? change.pipeline ?? generation.pipeline_template ?? policy.default_pipeline ?? only;
  const found = name === undefined ? undefined : pipelines[name];
  if (found !== undefined) return found;
  const known = names.length === 0 ? 'there is none' : `there are ${names.join(', ')}`;
  throw new LonghaulError(
    'InvalidInput',
    name === undefined
      ? `Which pipeline is to prove ${change.id}? Give one with --pipeline, or name it in the change, as pipeline_template or as default_pipeline; ${known}.`
      : `There is no pipeline ${name}; ${known}.`,
  );
}
