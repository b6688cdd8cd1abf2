import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { distilStaticModel } from './distil.ts';
import { readModelFiles, sha256 } from './model-files.ts';
import type { Progress } from './model-files.ts';
import { createStaticModel, readStaticModel, STATIC_RECIPE } from './static-model.ts';
import type { StaticWeights } from './static-model.ts';
import { createWordPiece } from './wordpiece.ts';

/** Version of everything between the transformer's output and a vector. Another one is another model. */
const ONNX_RECIPE = 'onnx-mean-256-1';

/**
 * Turns texts into vectors. Whatever stands behind it (a table, a network on this machine, a server), equal texts under equal
 * digests get equal vectors, so they may be kept and compared.
 */
export interface EmbeddingModel {
  /** Names everything that a vector depends on besides the text, 16 hex digits: compare only vectors under one digest. */
  readonly digest: string;
  /** Length of every vector. */
  readonly dimensions: number;
  /** One vector of length 1 for each text, in order; of zeros for a text without a known word. */
  embed(texts: readonly string[]): Promise<Float32Array[]>;
  /** Gives back what the model holds outside JavaScript's memory. Not to be used afterwards. */
  close(): Promise<void>;
}

/** Which model to use and where it is. */
export interface ModelConfig {
  /** `static`: one vector a token, distilled from the transformer. `onnx`: the transformer itself. */
  readonly kind: 'static' | 'onnx';
  /** Folder with `model.onnx` and `tokenizer.json`. */
  readonly folder: string;
  /** Where what is made of them is kept. */
  readonly cacheDir: string;
}

/** What happens while a model is made ready, which the first time takes about half a minute. */
export interface ModelOptions {
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/** A model as it is passed to another thread: plain data, the big tables in shared memory. */
export type SharedModel =
  | { readonly kind: 'static'; readonly digest: string; readonly tokenizer: string; readonly weights: StaticWeights }
  | { readonly kind: 'onnx'; readonly digest: string; readonly tokenizer: string; readonly onnx: string };

/**
 * Makes a model ready for {@link openShared} in any thread of this process. The static model is distilled first when this
 * teacher's was not yet. Throws `InvalidConfiguration` when the files are missing or of a kind that cannot be used.
 */
export async function shareModel(config: ModelConfig, options: ModelOptions = {}): Promise<SharedModel> {
  const files = await readModelFiles(config.folder, config.cacheDir);
  const { tokenizer, onnx } = files;
  if (config.kind === 'onnx') {
    return { kind: 'onnx', digest: sha256(`${ONNX_RECIPE} ${files.digest}`).slice(0, 16), tokenizer, onnx };
  }
  // of the teacher and the recipe, not of the distilled bytes: those differ in the last bits from one processor to another
  const digest = sha256(`${STATIC_RECIPE} ${files.digest}`).slice(0, 16);
  const distilled = path.join(config.cacheDir, 'models', `static-${digest}.bin`);
  const ready = await readStaticModel(distilled);
  if (ready) return { kind: 'static', digest, tokenizer, weights: ready };
  await distilStaticModel({ files, target: distilled, ...options });
  const weights = await readStaticModel(distilled);
  if (!weights) throw new Error(`the static model was written to ${distilled}, but cannot be read there`);
  return { kind: 'static', digest, tokenizer, weights };
}

/** Opens a model that {@link shareModel} made ready, in this or another thread. */
export async function openShared(shared: SharedModel): Promise<EmbeddingModel> {
  const words = createWordPiece(await readFile(shared.tokenizer, 'utf8'));
  if (shared.kind === 'onnx') {
    // only here, because its native library is slow to load
    const { createOnnxModel } = await import('./onnx-model.ts');
    return createOnnxModel(shared.digest, shared.onnx, words);
  }
  return createStaticModel(shared.digest, shared.weights, words);
}

/** {@link shareModel} and {@link openShared} for a single thread. */
export async function openModel(config: ModelConfig, options: ModelOptions = {}): Promise<EmbeddingModel> {
  return openShared(await shareModel(config, options));
}
