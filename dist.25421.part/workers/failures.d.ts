import type { ActivityInterceptorsFactory } from '@temporalio/worker';
/**
 * Turns what an activity threw at its `attempt`-th try into Temporal's failure: an anticipated one by its name, tried as
 * often as {@link FAILURES} says; anything else keeps its own stack, and is not tried for ever.
 */
export declare function toApplicationFailure(error: unknown, attempt: number): unknown;
/** Applies {@link toApplicationFailure} to whatever an activity throws. */
export declare const namedFailures: ActivityInterceptorsFactory;
