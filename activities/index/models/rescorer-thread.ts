import { parentPort, workerData } from 'node:worker_threads';
import { type PackedFailure, packFailure } from '../analysis/packed-failure.ts';
import { embedSequences, openTransformer } from './onnx-model.ts';

/** What the thread opens. */
export interface RescorerThreadSettings {
  /** Path of the ONNX graph. */
  readonly onnx: string;
  /** Number of processors to use. */
  readonly processors: number;
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

const { onnx, processors } = workerData as RescorerThreadSettings;
const opening = openTransformer(onnx, { processors });
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
    .then((transformer) => embedSequences(transformer, sequences))
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
