import { applyPlanFlow } from './apply-plan-flow.ts';
import { prepareFlow } from './prepare-flow.ts';
import { repairWorkspaceFlow } from './repair-flow.ts';
import { teardownFlow } from './teardown-flow.ts';

/** The flows of this wing. */
export const workspaceFlows = [applyPlanFlow, prepareFlow, repairWorkspaceFlow, teardownFlow] as const;
