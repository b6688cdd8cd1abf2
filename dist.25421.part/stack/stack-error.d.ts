/** What keeps the embedded stack from running, in one plain sentence with the way out. */
export declare class StackError extends Error {
    constructor(message: string, options?: {
        cause?: unknown;
    });
}
/** The message of anything that was thrown. */
export declare function messageOf(error: unknown): string;
/** True when `error` is a system error with one of these codes (`ENOENT`, …). */
export declare function hasCode(error: unknown, ...codes: string[]): boolean;
