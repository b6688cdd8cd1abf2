import { availableParallelism } from 'node:os';
import { beside } from './beside.js';
import { unpackFailure } from './packed-failure.js';
const IDLE_MS = 30_000;
/** Bytes of a task: enough to be worth a message, and few enough to keep all threads busy to the end. */
const SMALLEST_TASK = 64_000;
const LARGEST_TASK = 512_000;
const TASKS_PER_THREAD = 3;
/** Makes the pool; what it holds is given back by `close`, and threads that nobody uses for half a minute end by themselves. */
export function createAnalyzerPool(settings, { min = 1, max = availableParallelism() } = {}) {
    const closing = new AbortController();
    let started;
    async function start() {
        const { Piscina } = await import('piscina');
        return new Piscina({
            filename: beside(import.meta.url, 'analyzer-thread'),
            minThreads: Math.min(min, max),
            maxThreads: max,
            idleTimeout: IDLE_MS,
            workerData: settings,
        });
    }
    async function run(name, files, signal) {
        const stop = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal;
        stop.throwIfAborted();
        const threads = await (started ??= start());
        const cancelled = new SharedArrayBuffer(4);
        const tasks = portionsOf(files, max).map(async (portion) => {
            const answer = await threads.run({ files: portion, cancelled }, { name });
            if ('failure' in answer)
                throw unpackFailure(answer.failure);
            if (answer.done === null)
                throw new Error('the task was cancelled');
            return answer.done;
        });
        try {
            return await untilAborted(stop, Promise.all(tasks));
        }
        catch (error) {
            // a thread is not killed, because it would have to load everything again: it looks here between two files
            Atomics.store(new Int32Array(cancelled), 0, 1);
            throw error;
        }
    }
    return {
        analyze: (files, signal) => run('analyze', files, signal),
        count: (files, signal) => run('count', files, signal),
        async close() {
            closing.abort(new Error('the analyzer was closed'));
            await (await started)?.close();
        },
    };
}
function portionsOf(files, threads) {
    const bytes = files.reduce((sum, { content }) => sum + content.length, 0);
    const fill = Math.min(Math.max(bytes / (threads * TASKS_PER_THREAD), SMALLEST_TASK), LARGEST_TASK);
    const portions = [];
    let room = 0;
    for (const file of files) {
        if (room <= 0) {
            portions.push([]);
            room = fill;
        }
        portions.at(-1)?.push(file);
        room -= file.content.length;
    }
    return portions;
}
/** The result, or at once the signal's reason. */
async function untilAborted(signal, result) {
    let onAbort;
    const aborted = new Promise((_, reject) => {
        onAbort = () => reject(signal.reason);
        signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
        return await Promise.race([aborted, result]);
    }
    finally {
        if (onAbort)
            signal.removeEventListener('abort', onAbort);
    }
}
//# sourceMappingURL=analyzer-pool.js.map