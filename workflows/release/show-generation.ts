import { defineSearchAttributeKey } from '@temporalio/common';
import { upsertSearchAttributes } from '@temporalio/workflow';
import { GENERATION_ATTRIBUTE, generationKey } from '../../domain/release/flows/attributes.ts';

const GENERATION = defineSearchAttributeKey(GENERATION_ATTRIBUTE, 'KEYWORD');

/** Lets this run be found by its generation, which is known only now. */
export function showGeneration(generation: Parameters<typeof generationKey>[0]): void {
  upsertSearchAttributes([{ key: GENERATION, value: generationKey(generation) }]);
}
