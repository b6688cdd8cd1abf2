import { catalogFlows } from './catalog/flows/index.ts';
import { forgeBudgetFlow } from './forge/forge-budget-flow.ts';
import { releaseFlows } from './release/flows/index.ts';
import { createRegistry } from './shared/flow.ts';

/** The flows of all wings: a wing adds one line. */
export const FLOWS = createRegistry([...catalogFlows, ...releaseFlows, forgeBudgetFlow]);

/** The declarations by workflow type. */
export type Flows = typeof FLOWS.byType;
