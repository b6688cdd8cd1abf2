import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FAILURES, LonghaulError } from '../../domain/failures.js';
import { findRunningStack } from '../../stack/running-stack.js';
import { progressLines } from './progress-lines.js';
import { namingStackFailures } from './stack-failure.js';
import { stackTable } from './stack-table.js';
import { startStackAndWorker } from './supervisor.js';
/** Exit code of a command that the user interrupted before it had done its work. */
const INTERRUPTED = 130;
/**
 * Starts the stack and a worker. In the foreground it stays until Ctrl-C or SIGTERM and returns 0; with `detach` it returns 0
 * as soon as all is ready, also when all ran already. Returns 3 in the foreground when a stack already runs on this data
 * folder, 130 when it was interrupted while starting. Throws `StackFailed`.
 */
export async function up(options, context) {
    return namingStackFailures(async () => {
        const running = findRunningStack(context.dataDir);
        if (running !== null)
            return tellRunning(running, options, context);
        return options.detach ? upDetached(context) : upForeground(context);
    });
}
function tellRunning(running, options, context) {
    const { state, pid } = running;
    const starting = state.status === 'starting' ? ' (still starting)' : '';
    context.stderr.write(`A stack is already running on ${context.dataDir}, by process ${pid}${starting}.\n`);
    context.stdout.write(`${stackTable(state, context)}\n`);
    return options.detach ? 0 : FAILURES.StackFailed.exitCode;
}
async function upForeground(context) {
    const interrupts = catchInterrupts();
    try {
        const stack = await startStackAndWorker(context, {
            onProgress: progressLines(context.stderr),
            signal: interrupts.signal,
        });
        interrupts.onSecond(() => stack.kill());
        const running = findRunningStack(context.dataDir);
        if (running !== null)
            context.stdout.write(`${stackTable(running.state, context)}\n`);
        context.stderr.write('Ctrl-C stops all of it.\n');
        await interrupts.first;
        context.stderr.write('Stopping.\n');
        await stack.stop();
        return 0;
    }
    catch (error) {
        if (interrupts.signal.aborted)
            return INTERRUPTED;
        throw error;
    }
    finally {
        interrupts.release();
    }
}
function catchInterrupts() {
    const names = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    const controller = new AbortController();
    let second = null;
    const first = new Promise((resolve) => {
        controller.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const onSignal = () => {
        if (controller.signal.aborted) {
            second?.();
            process.exit(INTERRUPTED);
        }
        controller.abort();
    };
    for (const name of names)
        process.on(name, onSignal);
    return {
        signal: controller.signal,
        first,
        onSecond: (action) => (second = action),
        release: () => {
            for (const name of names)
                process.off(name, onSignal);
        },
    };
}
async function upDetached(context) {
    const interrupts = catchInterrupts();
    const child = spawnSupervisor(context);
    const onInterrupt = () => {
        child.kill('SIGTERM');
    };
    interrupts.signal.addEventListener('abort', onInterrupt);
    interrupts.onSecond(() => child.kill('SIGKILL'));
    try {
        const outcome = await outcomeOf(child, context);
        if (interrupts.signal.aborted)
            return INTERRUPTED;
        if (outcome !== null)
            throw new LonghaulError('StackFailed', outcome);
        const running = findRunningStack(context.dataDir);
        if (running !== null)
            context.stdout.write(`${stackTable(running.state, context)}\n`);
        return 0;
    }
    finally {
        interrupts.release();
        if (child.connected)
            child.disconnect();
        child.unref();
    }
}
function spawnSupervisor(context) {
    const logDir = join(context.dataDir, 'logs');
    mkdirSync(context.dataDir, { recursive: true, mode: 0o700 });
    mkdirSync(logDir, { recursive: true });
    const log = openSync(join(logDir, 'supervisor.log'), 'a', 0o600);
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const program = fileURLToPath(new URL(`./supervisor-process.${extension}`, import.meta.url));
    try {
        const child = spawn(process.execPath, [program], {
            detached: true,
            env: context.env,
            stdio: ['ignore', log, log, 'ipc'],
        });
        const { config, configPath, dataDir, cacheDir } = context;
        child.send({ config, configPath, dataDir, cacheDir });
        return child;
    }
    finally {
        closeSync(log);
    }
}
/** Shows the supervisor's progress until it is ready (null) or ends (its message). */
function outcomeOf(child, context) {
    const onProgress = progressLines(context.stderr);
    return new Promise((resolve, reject) => {
        child.on('message', (message) => {
            if (message.type === 'progress')
                onProgress(message.progress);
            else
                resolve(message.type === 'failed' ? message.message : null);
        });
        child.once('error', reject);
        child.once('exit', () => {
            resolve(`The supervisor ended while it started: see ${join(context.dataDir, 'logs', 'supervisor.log')}.`);
        });
    });
}
//# sourceMappingURL=up.js.map