import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { distilStaticModel } from './distil.ts';
import { sha256 } from '../../../platform/sha256.ts';
import type { EmbeddingModel } from './embedding-model.ts';
import { readModelFiles } from './model-files.ts';
import type { Progress } from './model-files.ts';
import { createStaticModel, readStaticModel, STATIC_RECIPE } from './static-model.ts';
import type { StaticWeights } from './static-model.ts';
import { createWordPiece } from './wordpiece.ts';

/** Version of the steps from the transformer's output to a vector. A change makes a different model. */
const ONNX_RECIPE = 'onnx-mean-256-1';

export type { EmbeddingModel } from './embedding-model.ts';

/** The kind of model and its location. */
export interface ModelConfig {
  /** `static`: one vector per token, distilled from the transformer. `onnx`: the transformer itself. */
  readonly kind: 'static' | 'onnx';
  /** Folder with `model.onnx` and `tokenizer.json`. */
  readonly folder: string;
  /** Folder for data derived from the model. */
  readonly cacheDir: string;
}

/** Callbacks while a model is prepared, which takes about half a minute the first time. */
export interface ModelOptions {
  /** Receives messages about what takes long, such as distilling a model. */
  readonly progress?: Progress;
  /** Aborts opening. */
  readonly signal?: AbortSignal;
}

interface SharedBasics {
  readonly digest: string;
  readonly dimensions: number;
  /** Path of the tokenizer. */
  readonly tokenizer: string;
}

/** A model that can be passed to another thread: plain data, with the large tables in shared memory. */
export type SharedModel =
  | (SharedBasics & { readonly kind: 'static'; readonly weights: StaticWeights })
  | (SharedBasics & { readonly kind: 'onnx'; readonly onnx: string });

/**
 * Prepares a model for {@link openShared} in any thread of this process. Distils the static model first if that was not
 * done for this teacher. Throws `InvalidConfiguration` when the files are missing or unsuitable.
 */
export async function shareModel(config: ModelConfig, options: ModelOptions = {}): Promise<SharedModel> {
  const files = await readModelFiles(config.folder, config.cacheDir);
  const { tokenizer, onnx } = files;
  if (config.kind === 'onnx') {
    const { openTransformer } = await import('./onnx-model.ts');
    const transformer = await openTransformer(onnx);
    const { dimensions } = transformer;
    await transformer.close();
    return { kind: 'onnx', digest: sha256(`${ONNX_RECIPE} ${files.digest}`).slice(0, 16), dimensions, tokenizer, onnx };
  }
  // a digest of the teacher and the recipe, not of the distilled bytes: those differ in the last bits between
  // processors
  const digest = sha256(`${STATIC_RECIPE} ${files.digest}`).slice(0, 16);
  const distilled = path.join(config.cacheDir, 'models', `static-${digest}.bin`);
  let weights = await readStaticModel(distilled);
  if (!weights) {
    await distilStaticModel({ files, target: distilled, ...options });
    weights = await readStaticModel(distilled);
  }
  if (!weights) throw new Error(`the static model was written to ${distilled}, but cannot be read there`);
  return { kind: 'static', digest, dimensions: weights.dimensions, tokenizer, weights };
}

/** Opens a model from {@link shareModel}, in this or another thread. */
export async function openShared(shared: SharedModel): Promise<EmbeddingModel> {
  const words = createWordPiece(await readFile(shared.tokenizer, 'utf8'));
  if (shared.kind === 'onnx') {
    // loaded only here, because its native library is slow to load
    const { createOnnxModel } = await import('./onnx-model.ts');
    return createOnnxModel(shared.digest, shared.onnx, words);
  }
  return createStaticModel(shared.digest, shared.weights, words);
}

/** {@link shareModel} and {@link openShared} for a single thread. */
export async function openModel(config: ModelConfig, options: ModelOptions = {}): Promise<EmbeddingModel> {
  return openShared(await shareModel(config, options));
}
