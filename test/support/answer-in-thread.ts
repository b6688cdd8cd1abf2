import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Longer than any answer on a busy machine; an exponential one takes years. */
const LIMIT_MS = 25_000;

const SOURCE = `
import { parentPort, workerData } from 'node:worker_threads';
const { module, name, calls } = workerData;
const { [name]: answer } = await import(module);
parentPort.postMessage(calls.map((args) => answer(...args)));
`;

/**
 * Calls an exported function of a module with each list of arguments, in a thread, and returns the answers. Throws and
 * ends the thread when the function hangs: a synchronous function cannot be ended otherwise. Arguments and answers are
 * copied.
 */
export async function answersInThread(
  module: URL,
  name: string,
  calls: readonly (readonly unknown[])[],
): Promise<unknown[]> {
  const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(SOURCE)}`), {
    workerData: { module: module.href, name, calls },
    execArgv: [],
  });
  try {
    const [answers] = (await once(thread, 'message', { signal: AbortSignal.timeout(LIMIT_MS) })) as [unknown[]];
    return answers;
  } finally {
    await thread.terminate();
  }
}
