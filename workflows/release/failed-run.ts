import { ApplicationFailure, ChildWorkflowFailure } from '@temporalio/workflow';
import type { RunPipelineResult } from '../../domain/release/flows/pipeline-flows.ts';

/** The failure of a child whose pipeline failed; null for any other. */
export function pipelineFailure(error: unknown): ApplicationFailure | null {
  const cause = error instanceof ChildWorkflowFailure ? error.cause : undefined;
  return cause instanceof ApplicationFailure && cause.type === 'PipelineFailed' ? cause : null;
}

/** The result of a child that failed because its pipeline did; null for any other failure. */
export function resultOfFailedRun(error: unknown): RunPipelineResult | null {
  return (pipelineFailure(error)?.details?.[0] ?? null) as RunPipelineResult | null;
}
