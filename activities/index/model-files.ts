import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { LonghaulError } from '../../domain/failures.ts';

/** Told what is being done and, where it can be known, how much of it is done (0 to 1). */
export type Progress = (message: string, fraction?: number) => void;

/** The files of a sentence transformer, and what makes them different from any others. */
export interface ModelFiles {
  /** Sha256 over the contents of both files, 64 hex digits. */
  readonly digest: string;
  /** Absolute path of the ONNX graph. */
  readonly onnx: string;
  /** Absolute path of the tokenizer in Hugging Face's JSON format. */
  readonly tokenizer: string;
}

/**
 * Finds `model.onnx` and `tokenizer.json` in a folder and takes their digest, which is remembered in `cacheDir` for as long as
 * size and time of the files stay the same. Throws `InvalidConfiguration` when one of them is missing.
 */
export async function readModelFiles(folder: string, cacheDir: string): Promise<ModelFiles> {
  const onnx = path.resolve(folder, 'model.onnx');
  const tokenizer = path.resolve(folder, 'tokenizer.json');
  const identity = `${await fileIdentity(onnx)}\n${await fileIdentity(tokenizer)}`;
  const memory = path.join(cacheDir, 'models', 'digests', sha256(identity).slice(0, 32));
  const remembered = await readFile(memory, 'utf8').catch(() => '');
  if (/^[0-9a-f]{64}$/.test(remembered)) return { digest: remembered, onnx, tokenizer };
  const hash = createHash('sha256');
  for (const file of [onnx, tokenizer]) await pipeline(createReadStream(file), hash, { end: false });
  const digest = hash.digest('hex');
  await writeWhole(memory, Buffer.from(digest));
  return { digest, onnx, tokenizer };
}

/** Writes a file so that it is there whole or not at all, even when the machine stops in the middle. */
export async function writeWhole(file: string, content: Uint8Array | readonly Uint8Array[]): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const unfinished = `${file}.${process.pid}.${Date.now().toString(36)}.part`;
  try {
    const handle = await open(unfinished, 'wx');
    try {
      for (const part of content instanceof Uint8Array ? [content] : content) await handle.writeFile(part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
  } catch (cause) {
    await rm(unfinished, { force: true });
    throw cause;
  }
}

/** Sha256 of a text or bytes, in hex. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

async function fileIdentity(file: string): Promise<string> {
  try {
    const { size, mtimeMs, ino, dev } = await stat(file);
    return [file, size, mtimeMs, ino, dev].join('|');
  } catch (cause) {
    throw new LonghaulError(
      'InvalidConfiguration',
      `The embedding model is incomplete: ${file} cannot be read. Give index.modelPath a folder with model.onnx and tokenizer.json, or leave it out to use the packaged model.`,
      { cause },
    );
  }
}
