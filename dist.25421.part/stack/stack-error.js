/** What keeps the embedded stack from running, in one plain sentence with the way out. */
export class StackError extends Error {
    constructor(message, options = {}) {
        super(message, options.cause === undefined ? undefined : { cause: options.cause });
        this.name = 'StackError';
    }
}
/** The message of anything that was thrown. */
export function messageOf(error) {
    return error instanceof Error ? error.message : String(error);
}
/** True when `error` is a system error with one of these codes (`ENOENT`, …). */
export function hasCode(error, ...codes) {
    return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
//# sourceMappingURL=stack-error.js.map