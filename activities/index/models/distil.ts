import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { siblingModule } from '../../../platform/sibling-module.ts';
import type { DistilOrder, DistilReport } from './distil-process.ts';
import { unpackFailure } from '../analysis/packed-failure.ts';
import type { ModelFiles, Progress } from './model-files.ts';
import { findOnnxRuntime } from './onnx-runtime.ts';

/** Each thread holds its own transformer in memory. */
const MOST_THREADS = 8;

/** Input and output of a distillation. */
export interface DistilOptions {
  readonly files: ModelFiles;
  /** Written atomically. */
  readonly target: string;
  /** Receives messages about what takes long. */
  readonly progress?: Progress;
  /** Ends the distillation. */
  readonly signal?: AbortSignal;
}

/**
 * Distils the static model of a transformer in a separate process, which uses all processors for some tens of seconds
 * and then releases its memory. Rejects with the child's error, or kills the child and rejects with the signal's
 * reason.
 */
export async function distilStaticModel({ files, target, progress, signal }: DistilOptions): Promise<void> {
  signal?.throwIfAborted();
  // here, because a failure of the child's threads reaches this process without its name
  findOnnxRuntime();
  const child = fork(fileURLToPath(siblingModule(import.meta.url, 'distil-process')), {
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const stop = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  let complaints = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaints = (complaints + text).slice(-4_000)));
  try {
    const failure = await new Promise<unknown>((resolve, reject) => {
      let reported: unknown;
      child.on('message', (report: DistilReport) => {
        if ('failure' in report) reported = unpackFailure(report.failure);
        else progress?.(report.message, report.fraction);
      });
      child.once('error', reject);
      child.once('close', (code, killedBy) => {
        if (code === 0) resolve(undefined);
        else resolve(reported ?? new Error(`distilling ended with ${killedBy ?? `exit code ${code}`}: ${complaints}`));
      });
      const order: DistilOrder = { files, target, parallel: Math.min(availableParallelism(), MOST_THREADS) };
      child.send(order);
    });
    signal?.throwIfAborted();
    if (failure !== undefined) throw failure;
  } finally {
    signal?.removeEventListener('abort', stop);
    child.kill('SIGKILL');
  }
}
