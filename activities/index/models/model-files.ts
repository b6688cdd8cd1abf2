import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { rememberedDigest } from '../store/digest.ts';

/** The files of a sentence transformer, and their digest. */
export interface ModelFiles {
  /** Sha256 over the contents of both files, 64 hex digits. */
  readonly digest: string;
  /** Absolute path of the ONNX graph. */
  readonly onnx: string;
  /** Absolute path of the tokenizer in Hugging Face's JSON format. */
  readonly tokenizer: string;
}

/** Called with the current step and, if known, the completed fraction (0 to 1). */
export type Progress = (message: string, fraction?: number) => void;

/**
 * Finds `model.onnx` and `tokenizer.json` in a folder and computes their digest, which is cached in `cacheDir`. Throws
 * `InvalidConfiguration` when one of them is missing.
 */
export async function readModelFiles(folder: string, cacheDir: string): Promise<ModelFiles> {
  const onnx = path.resolve(folder, 'model.onnx');
  const tokenizer = path.resolve(folder, 'tokenizer.json');
  try {
    const digest = await rememberedDigest(cacheDir, [onnx, tokenizer], () => digestOf([onnx, tokenizer]));
    return { digest, onnx, tokenizer };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new LonghaulError(
      'InvalidConfiguration',
      `There is no embedding model in ${folder}: give index.modelPath a folder with model.onnx and tokenizer.json, or leave it out to use the packaged model.`,
      { cause },
    );
  }
}

async function digestOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    await pipeline(createReadStream(file), async (chunks: AsyncIterable<Buffer>) => {
      for await (const bytes of chunks) hash.update(bytes);
    });
  }
  return hash.digest('hex');
}
