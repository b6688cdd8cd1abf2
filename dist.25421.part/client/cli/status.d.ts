import type { CliContext } from './context.ts';
/** Options of `longhaul status`. */
export interface StatusOptions {
    readonly json: boolean;
}
/**
 * Says what runs on this data folder and where. What a killed run left is stopped on the way. Returns 0 when the stack and
 * all its programs run, 1 when not. Throws `StackFailed`.
 */
export declare function status(options: StatusOptions, context: CliContext): Promise<number>;
