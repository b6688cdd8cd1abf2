import type { Client, WorkflowHandle } from '@temporalio/client';
import type { FleetProgress, FleetResult, RepositoryOutcome } from '../../domain/catalog/flows.ts';
import type { CliContext } from './context.ts';
/** What following a flow needs. */
export interface FollowOptions {
    readonly client: Client;
    readonly workflowId: string;
    /** Show bars (terminal) or lines; false with `--json`. */
    readonly show: boolean;
}
/**
 * Waits for a flow's result and meanwhile shows the progress that the flow itself reports. The command may be killed at
 * any time: the flow goes on, and `longhaul watch` follows it again.
 */
export declare function follow(context: CliContext, { client, workflowId, show }: FollowOptions): Promise<FleetResult | RepositoryOutcome>;
/** The flow's own answer; null while no worker answers or when the flow has no such query. */
export declare function readProgress(handle: WorkflowHandle): Promise<FleetProgress | null>;
