import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { identify, isRunning } from './process-identity.js';
import { signalGroup } from './program.js';
import { hasCode } from './stack-error.js';
/** Marks every process of a stack, through the environment, with the stack's data folder. */
export const STACK_MARK = 'LONGHAUL_STACK';
/**
 * Stops what a killed supervisor left running: its recorded children and, on Linux, everything that carries its mark, so that
 * also a child is found that was started and not yet recorded. Call it with the lock of the stack held. Returns the names.
 */
export async function stopLeftovers(dataDir, recorded) {
    const left = new Map();
    for (const child of [...marked(dataDir), ...recorded])
        if (isRunning(child))
            left.set(child.pid, child);
    const processes = [...left.values()];
    for (const { pid } of processes)
        signalProcess(pid, 'SIGTERM');
    for (let waited = 0; waited < 10_000 && processes.some(isRunning); waited += 50)
        await wait(50);
    for (const { pid } of processes.filter(isRunning)) {
        signalGroup(pid, 'SIGKILL');
        signalProcess(pid, 'SIGKILL');
    }
    while (processes.some(isRunning))
        await wait(20);
    return [...new Set(processes.map((child) => child.name))];
}
function marked(dataDir) {
    if (process.platform !== 'linux')
        return [];
    const mark = `${STACK_MARK}=${dataDir}`;
    return readdirSync('/proc')
        .map(Number)
        .filter((pid) => pid > 1 && pid !== process.pid && environmentOf(pid).includes(mark))
        .map((pid) => identify(pid))
        .filter((identity) => identity !== null)
        .map((identity) => ({ ...identity, name: commandOf(identity.pid) }));
}
function environmentOf(pid) {
    return readProc(`/proc/${pid}/environ`).split('\0');
}
function commandOf(pid) {
    return readProc(`/proc/${pid}/comm`).trim();
}
function readProc(file) {
    try {
        return readFileSync(file, 'utf8');
    }
    catch (error) {
        if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM'))
            return '';
        throw error;
    }
}
function signalProcess(pid, signal) {
    try {
        process.kill(pid, signal);
    }
    catch (error) {
        if (!hasCode(error, 'ESRCH'))
            throw error;
    }
}
//# sourceMappingURL=leftovers.js.map