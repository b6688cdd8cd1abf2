import { runPipelineFlow } from './pipeline-flows.ts';

/** The flows of the release train. */
export const releaseFlows = [runPipelineFlow];
