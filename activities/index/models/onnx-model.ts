import type { InferenceSession } from 'onnxruntime-node';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { EmbeddingModel } from './embedding-model.ts';
import { loadOnnxRuntime } from './onnx-runtime.ts';
import { toUnitLength } from './unit-length.ts';
import type { WordPiece } from './wordpiece.ts';

/** The transformer's maximum input length. */
const MOST_TOKENS = 256;

/** A transformer on local processors. Its output is `[batch, token, dimension]`. */
export interface Transformer {
  readonly dimensions: number;
  /** The output for `batch` equally long sequences of token ids, one after another. */
  readonly run: (ids: readonly number[], batch: number) => Promise<Float32Array>;
  readonly close: () => Promise<void>;
}

/**
 * A model whose vector of a text is the mean of the transformer's output over its first tokens, scaled to length 1.
 * It runs one text at a time, because padding costs more than batching
 * gains. Throws `InvalidConfiguration` when the file is not such a transformer.
 */
export async function createOnnxModel(digest: string, onnx: string, words: WordPiece): Promise<EmbeddingModel> {
  const transformer = await openTransformer(onnx);
  return {
    digest,
    dimensions: transformer.dimensions,
    embed: (texts) =>
      embedSequences(
        transformer,
        texts.map((text) => words.encodeSequence(text, MOST_TOKENS)),
      ),
    close: () => transformer.close(),
  };
}

/** The mean of the transformer's output over the tokens of each sequence, scaled to length 1. */
export async function embedSequences(
  { run, dimensions }: Transformer,
  sequences: readonly (readonly number[])[],
): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (const ids of sequences) vectors.push(toUnitLength(meanOfTokens(await run(ids, 1), 0, ids.length, dimensions)));
  return vectors;
}

/**
 * Opens an ONNX graph that maps token ids to one vector per token. A Node thread does one run at a time, on this many
 * `processors`. Set `sameShapes` when all runs have the same batch size and length: that is faster, but otherwise
 * memory would grow with every new shape. Throws `InvalidConfiguration`.
 */
export async function openTransformer(onnx: string, { sameShapes = false, processors = 1 } = {}): Promise<Transformer> {
  const options: InferenceSession.SessionOptions = {
    intraOpNumThreads: processors,
    enableCpuMemArena: sameShapes,
    // threads that wait actively take a third more processor time, which other work then lacks
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  };
  const runtime = loadOnnxRuntime();
  let session: InferenceSession;
  try {
    session = await runtime.InferenceSession.create(onnx, options);
  } catch (cause) {
    throw new LonghaulError('InvalidConfiguration', `The embedding model ${onnx} cannot be loaded.`, { cause });
  }
  const output = session.outputNames[0] ?? refuse(onnx, 'it has no output');
  const unknown = session.inputNames.find((name) => !(name in INPUTS));
  if (unknown !== undefined) refuse(onnx, `it requires an input named ${unknown}`);

  async function run(ids: readonly number[], batch: number): Promise<Float32Array> {
    const shape = [batch, ids.length / batch];
    const feeds = session.inputNames.map(
      (name) => [name, new runtime.Tensor('int64', inputOf(name, ids), shape)] as const,
    );
    const tensor = (await session.run(Object.fromEntries(feeds), [output]))[output];
    if (tensor?.dims.length !== 3 || !(tensor.data instanceof Float32Array)) {
      return refuse(onnx, `its first output, ${output}, is not one vector per token`);
    }
    return tensor.data;
  }

  const probe = await run([0], 1);
  return { dimensions: probe.length, run, close: () => session.release() };
}

/** The mean of `length` consecutive token vectors, from the `from`th on. */
export function meanOfTokens(output: Float32Array, from: number, length: number, dimensions: number): Float32Array {
  const mean = new Float32Array(dimensions);
  for (let token = from; token < from + length; token++) {
    for (let k = 0; k < dimensions; k++) mean[k] = (mean[k] ?? 0) + (output[token * dimensions + k] ?? 0) / length;
  }
  return mean;
}

const INPUTS = { input_ids: null, attention_mask: 1n, token_type_ids: 0n } as const;

function inputOf(name: string, ids: readonly number[]): BigInt64Array {
  const constant = INPUTS[name as keyof typeof INPUTS];
  return constant === null ? BigInt64Array.from(ids, (id) => BigInt(id)) : new BigInt64Array(ids.length).fill(constant);
}

function refuse(onnx: string, why: string): never {
  throw new LonghaulError(
    'InvalidConfiguration',
    `The embedding model ${onnx} cannot be used: ${why}. Use a sentence transformer exported to ONNX, such as all-MiniLM-L6-v2.`,
  );
}
