import { applyPlanFlow } from './apply-plan-flow.ts';

/** The flows of this wing. */
export const workspaceFlows = [applyPlanFlow] as const;
