import type { CliContext } from './context.ts';
/** Options that all commands over a fleet share. */
export interface FleetOptions {
    /** Print one JSON object at the end and nothing else. */
    readonly json?: boolean;
    /** False with `--no-wait`: start the flow and return. */
    readonly wait?: boolean;
    /** Say what would be done; start nothing. */
    readonly dryRun?: boolean;
}
/** `longhaul index add`: onboards what matches; asks first unless `yes`. */
export declare function addRepositories(context: CliContext, options: FleetOptions & {
    pattern: string[];
    yes?: boolean;
    parallel: number;
}): Promise<number>;
/** `longhaul sync`: brings what is indexed up to date. */
export declare function syncFleet(context: CliContext, options: FleetOptions & {
    pattern?: string[];
    all?: boolean;
    parallel: number;
}): Promise<number>;
/** `longhaul index remove`: takes what matches out of the index. */
export declare function removeFromIndex(context: CliContext, options: FleetOptions & {
    pattern: string[];
    parallel: number;
}): Promise<number>;
/** `longhaul watch`: follows a flow that runs, or shows the result of one that ended. */
export declare function watchFlow(context: CliContext, workflowId: string, options: {
    readonly json?: boolean;
}): Promise<number>;
