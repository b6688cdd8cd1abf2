import { parentPort, workerData } from 'node:worker_threads';
import { type PackedFailure, packFailure } from '../analysis/packed-failure.ts';
import { embedSequences, openTransformer } from './onnx-model.ts';
import { IN_NATIVE_CODE, IS_ENDING } from './thread-state.ts';

/** What the thread opens. */
export interface RescorerThreadSettings {
  /** Path of the ONNX graph. */
  readonly onnx: string;
  /** Number of processors to use. */
  readonly processors: number;
  /** Shared with the thread that started this one; at {@link IS_ENDING} and {@link IN_NATIVE_CODE}. */
  readonly state: Int32Array<SharedArrayBuffer>;
}

/** Sequences of token ids to turn into vectors. */
export interface RescorerTask {
  readonly id: number;
  readonly sequences: readonly (readonly number[])[];
}

/** The answer to the task with this id. */
export type RescorerAnswer =
  | { readonly id: number; readonly vectors: readonly Float32Array[] }
  | { readonly id: number; readonly failure: PackedFailure };

const { onnx, processors, state } = workerData as RescorerThreadSettings;
const opening = unlessEnding(() => openTransformer(onnx, { processors }));
// each task reports it
opening.catch(() => undefined);

/** The tasks so far. */
let work: Promise<unknown> = opening.catch(() => undefined);

parentPort?.on('message', (task: RescorerTask | null) => {
  if (task === null) work.then(end, end);
  else work = Promise.all([work, answer(task)]);
});

async function answer({ id, sequences }: RescorerTask): Promise<void> {
  const done: RescorerAnswer = await opening
    .then(({ run, ...transformer }) =>
      embedSequences({ ...transformer, run: (ids, batch) => unlessEnding(() => run(ids, batch)) }, sequences),
    )
    .then(
      (vectors) => ({ id, vectors }),
      (error: unknown) => ({ id, failure: packFailure(error) }),
    );
  const moved = 'vectors' in done ? done.vectors.map(({ buffer }) => buffer as ArrayBuffer) : [];
  parentPort?.postMessage(done, moved);
}

/** Without its port the thread ends by itself. */
function end(): void {
  parentPort?.close();
}

/** Calls native code, which aborts the process when its thread is terminated meanwhile. */
async function unlessEnding<Result>(call: () => Promise<Result>): Promise<Result> {
  Atomics.add(state, IN_NATIVE_CODE, 1);
  try {
    if (Atomics.load(state, IS_ENDING) === 1) throw new Error('the thread ends');
    return await call();
  } finally {
    Atomics.sub(state, IN_NATIVE_CODE, 1);
    Atomics.notify(state, IN_NATIVE_CODE);
  }
}
