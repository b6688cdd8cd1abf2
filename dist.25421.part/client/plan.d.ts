import type { FleetPlan } from '../domain/catalog/plan.ts';
import type { Receipt } from '../domain/catalog/receipt.ts';
import type { CliContext } from './cli/context.ts';
/** What a fleet flow would do, by the same plan that the flow follows. Starts nothing, writes nothing. */
export declare function planFleet(context: CliContext, flow: 'onboardRepositories' | 'syncRepositories' | 'removeRepositories', patterns: readonly string[] | null): Promise<FleetPlan>;
/** All receipts of the index. */
export declare function readReceipts(context: CliContext): Promise<Receipt[]>;
