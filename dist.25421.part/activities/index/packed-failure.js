import { LonghaulError } from '../../domain/failures.js';
/** Makes plain data of an error. */
export function packFailure(error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    return { type: error instanceof LonghaulError ? error.type : null, message, stack };
}
/** Makes an error of the same type, message and stack. */
export function unpackFailure({ type, message, stack }) {
    const error = type === null ? new Error(message) : new LonghaulError(type, message);
    if (stack !== undefined)
        error.stack = stack;
    return error;
}
//# sourceMappingURL=packed-failure.js.map