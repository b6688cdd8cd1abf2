import { catalogFlows } from './catalog/flows/index.ts';
import { forgeBudgetFlow } from './forge/forge-budget-flow.ts';
import { releaseFlows } from './release/flows/index.ts';
import { createRegistry } from './shared/flow.ts';
import { workspaceFlows } from './workspace/flows/index.ts';

/** The flows of all wings: a wing adds one line. */
export const FLOWS = createRegistry([...catalogFlows, ...releaseFlows, ...workspaceFlows, forgeBudgetFlow]);

/** The declarations by workflow type. */
export type Flows = typeof FLOWS.byType;
