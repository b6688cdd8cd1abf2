import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { EmbeddingModel } from './embedding-model.ts';
import { writeWhole } from '../../../platform/whole-file.ts';
import { toUnitLength } from './unit-length.ts';
import type { WordPiece } from './wordpiece.ts';

/**
 * Version of the steps from a teacher to a vector: distillation, weights, pooling. A change makes a different model.
 */
export const STATIC_RECIPE = 'static-2';

const MAGIC = 'longhaul static model 1\n';
const HEADER_BYTES = 32;

/** The tables of a static model in shared memory, so that all threads use one copy. */
export interface StaticWeights {
  readonly tokens: number;
  readonly dimensions: number;
  /** Int8: `tokens` rows of `dimensions`. */
  readonly matrix: SharedArrayBuffer;
  /** Float32: factors that convert a row of `matrix` back to the teacher's values. */
  readonly scales: SharedArrayBuffer;
  /** Float32: the weight of a token in a text. */
  readonly importance: SharedArrayBuffer;
  /** Float32 rows multiplied by scale and importance; a row is computed on the first use of its token. */
  readonly rows: SharedArrayBuffer;
  /** Uint8: 1 for each computed row of `rows`. */
  readonly made: SharedArrayBuffer;
}

/** The output of a distillation. */
export interface DistilledTables {
  readonly dimensions: number;
  readonly matrix: Int8Array;
  readonly scales: Float32Array;
  readonly importance: Float32Array;
}

/** Writes the tables to one file, atomically. */
export async function writeStaticModel(file: string, tables: DistilledTables): Promise<void> {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 'latin1');
  header.writeUInt32LE(tables.scales.length, HEADER_BYTES - 8);
  header.writeUInt32LE(tables.dimensions, HEADER_BYTES - 4);
  await writeWhole(file, [header, ...[tables.scales, tables.importance, tables.matrix].map(bytesOf)]);
}

/** Reads a file of {@link writeStaticModel}; null when it is missing or incomplete. */
export async function readStaticModel(file: string): Promise<StaticWeights | null> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw cause;
  }
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    await handle.read(header, 0, HEADER_BYTES, 0);
    if (header.toString('latin1', 0, MAGIC.length) !== MAGIC) return null;
    const tokens = header.readUInt32LE(HEADER_BYTES - 8);
    const dimensions = header.readUInt32LE(HEADER_BYTES - 4);
    const { size } = await handle.stat();
    if (size !== HEADER_BYTES + tokens * (8 + dimensions)) return null;
    const scales = new SharedArrayBuffer(tokens * 4);
    const importance = new SharedArrayBuffer(tokens * 4);
    const matrix = new SharedArrayBuffer(tokens * dimensions);
    await handle.readv(
      [scales, importance, matrix].map((part) => new Uint8Array(part)),
      HEADER_BYTES,
    );
    const rows = new SharedArrayBuffer(tokens * dimensions * 4);
    return { tokens, dimensions, matrix, scales, importance, rows, made: new SharedArrayBuffer(tokens) };
  } finally {
    await handle.close();
  }
}

/**
 * A model whose vector of a text is the weighted mean of its tokens' vectors, scaled to length 1. Throws
 * `InvalidConfiguration` when the tokenizer's tokens differ from those of the tables.
 */
export function createStaticModel(digest: string, weights: StaticWeights, words: WordPiece): EmbeddingModel {
  const { tokens, dimensions } = weights;
  if (words.vocabulary.length !== tokens) {
    throw new LonghaulError(
      'InvalidConfiguration',
      `The static model has ${tokens} tokens, its tokenizer ${words.vocabulary.length}: remove the models folder of the cache.`,
    );
  }
  const embed = staticEmbedder(weights, words);
  return {
    digest,
    dimensions,
    embed: async (texts) => texts.map(embed),
    close: async () => {},
  };
}

function staticEmbedder(weights: StaticWeights, words: WordPiece): (text: string) => Float32Array {
  const { tokens, dimensions } = weights;
  const matrix = new Int8Array(weights.matrix);
  const scales = new Float32Array(weights.scales);
  const importance = new Float32Array(weights.importance);
  const rows = new Float32Array(weights.rows);
  const made = new Uint8Array(weights.made);
  const counts = new Uint32Array(tokens);
  const distinct = new Uint32Array(tokens);

  function makeRow(token: number): void {
    const scale = (scales[token] ?? 0) * (importance[token] ?? 0);
    const start = token * dimensions;
    for (let k = start; k < start + dimensions; k++) rows[k] = (matrix[k] ?? 0) * scale;
    // after the row, because other threads use the row once this is set
    Atomics.store(made, token, 1);
  }

  function countTokens(text: string): number {
    let found = 0;
    for (const token of words.encode(text)) {
      const before = counts[token] ?? 0;
      if (before === 0) {
        distinct[found++] = token;
        if (Atomics.load(made, token) === 0) makeRow(token);
      }
      counts[token] = before + 1;
    }
    return found;
  }

  function sumRows(found: number): Float32Array {
    const sum = new Float32Array(dimensions);
    let at = 0;
    // four rows per pass, so that the sum is read and written a quarter as often
    for (; at + 3 < found; at += 4) {
      const a = distinct[at] ?? 0;
      const b = distinct[at + 1] ?? 0;
      const c = distinct[at + 2] ?? 0;
      const d = distinct[at + 3] ?? 0;
      const [timesA, timesB, timesC, timesD] = [counts[a] ?? 0, counts[b] ?? 0, counts[c] ?? 0, counts[d] ?? 0];
      const [rowA, rowB, rowC, rowD] = [a * dimensions, b * dimensions, c * dimensions, d * dimensions];
      for (let k = 0; k < dimensions; k++) {
        sum[k] =
          (sum[k] as number) +
          timesA * (rows[rowA + k] as number) +
          timesB * (rows[rowB + k] as number) +
          timesC * (rows[rowC + k] as number) +
          timesD * (rows[rowD + k] as number);
      }
    }
    for (; at < found; at++) {
      const token = distinct[at] ?? 0;
      const times = counts[token] ?? 0;
      const row = token * dimensions;
      for (let k = 0; k < dimensions; k++) sum[k] = (sum[k] as number) + times * (rows[row + k] as number);
    }
    return sum;
  }

  return function embed(text) {
    const found = countTokens(text);
    const vector = sumRows(found);
    for (let at = 0; at < found; at++) counts[distinct[at] ?? 0] = 0;
    return toUnitLength(vector);
  };
}

function bytesOf(array: Float32Array | Int8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
