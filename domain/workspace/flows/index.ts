import { applyPlanFlow } from './apply-plan-flow.ts';
import { repairWorkspaceFlow } from './repair-flow.ts';
import { teardownFlow } from './teardown-flow.ts';

/** The flows of this wing. */
export const workspaceFlows = [applyPlanFlow, repairWorkspaceFlow, teardownFlow] as const;
