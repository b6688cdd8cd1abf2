import { ApplicationFailure, ChildWorkflowFailure } from '@temporalio/workflow';
import type { RunPipelineResult } from '../../domain/release/flows/pipeline-flows.ts';

/** The result of a child that failed because its pipeline did; null for any other failure. */
export function resultOfFailedRun(error: unknown): RunPipelineResult | null {
  const cause = error instanceof ChildWorkflowFailure ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure) || cause.type !== 'PipelineFailed') return null;
  return (cause.details?.[0] ?? null) as RunPipelineResult | null;
}
