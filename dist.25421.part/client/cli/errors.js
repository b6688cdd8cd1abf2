import { FAILURES, isFailureType } from '../../domain/failures.js';
/** The deepest cause that has a name, else the deepest one. */
export function shownError(error) {
    let deepest = error;
    for (let at = error; at instanceof Error; at = at.cause) {
        deepest = at;
        if (isFailureType(typeOf(at)))
            break;
    }
    const type = typeOf(deepest);
    const message = deepest instanceof Error ? deepest.message : String(deepest);
    if (isFailureType(type)) {
        const { remedy, exitCode } = FAILURES[type];
        return { type, message, remedy, exitCode };
    }
    const refused = connectionProblem(error);
    if (refused !== null) {
        const { remedy, exitCode } = FAILURES.ServerUnavailable;
        return { type: 'ServerUnavailable', message: refused, remedy, exitCode };
    }
    return { type: 'Unexpected', message, remedy: null, exitCode: 70 };
}
/** Prints an error: one plain sentence and what to do on stderr, or one JSON object on stdout. Gives the exit code. */
export function printError(error, json) {
    const { type, message, remedy, exitCode } = shownError(error);
    if (json)
        process.stdout.write(`${JSON.stringify({ error: { type, message, remedy } })}\n`);
    else
        process.stderr.write(`longhaul: ${message}\n${remedy === null ? '' : `${remedy}\n`}`);
    if (type === 'Unexpected' && error instanceof Error && process.env['LONGHAUL_DEBUG']) {
        process.stderr.write(`${error.stack ?? ''}\n`);
    }
    return exitCode;
}
function typeOf(error) {
    return error instanceof Error && 'type' in error ? error.type : undefined;
}
function connectionProblem(error) {
    for (let at = error; at instanceof Error; at = at.cause) {
        if (/ECONNREFUSED|UNAVAILABLE|No connection established|Failed to connect/i.test(at.message)) {
            return `A server does not answer: ${at.message}`;
        }
    }
    return null;
}
//# sourceMappingURL=errors.js.map