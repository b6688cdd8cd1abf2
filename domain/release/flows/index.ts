import { proveChangeFlow, startEvolutionFlow } from './evolution-flows.ts';
import { promoteGenerationFlow } from './promotion-flows.ts';
import { runPipelineFlow } from './pipeline-flows.ts';

/** The flows of the release train. */
export const releaseFlows = [runPipelineFlow, startEvolutionFlow, proveChangeFlow, promoteGenerationFlow] as const;
