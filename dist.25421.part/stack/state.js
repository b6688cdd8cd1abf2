import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode, StackError } from './stack-error.js';
/** The state of a data folder in which nothing was ever started. */
export const NO_STATE = {
    version: 1,
    status: 'stopped',
    supervisor: null,
    startedAt: null,
    ports: {},
    children: [],
    temporal: null,
    weaviate: null,
    modelFolder: null,
};
/** Reads `stack.json` of a data folder. Throws {@link StackError} when it is not ours to read. */
export function readState(dataDir) {
    const file = stateFile(dataDir);
    try {
        const state = JSON.parse(readFileSync(file, 'utf8'));
        if (state?.version === 1 && Array.isArray(state.children))
            return state;
        throw new StackError(`${file} was written by another version of Longhaul: stop its servers, then remove the file.`);
    }
    catch (error) {
        if (hasCode(error, 'ENOENT'))
            return NO_STATE;
        if (error instanceof SyntaxError)
            throw new StackError(`${file} is not JSON: remove it.`, { cause: error });
        throw error;
    }
}
/** Replaces `stack.json` as a whole, readable by its owner only. */
export function writeState(dataDir, state) {
    const file = stateFile(dataDir);
    const fresh = `${file}.${randomUUID()}`;
    writeFileSync(fresh, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
    renameSync(fresh, file);
}
function stateFile(dataDir) {
    return join(dataDir, 'stack.json');
}
/** The lock that the supervisor of a data folder holds. */
export function stackLockFile(dataDir) {
    return join(dataDir, 'stack.lock');
}
//# sourceMappingURL=state.js.map