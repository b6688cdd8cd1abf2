import { EigenvalueDecomposition, Matrix, SVD } from 'ml-matrix';
import type { DistilledTables } from './static-model.ts';
import { tokenImportance } from './token-importance.ts';

const DIMENSIONS = 256;

/** A transformer's vectors of single tokens. */
export interface Teaching {
  /** All tokens by id. */
  readonly vocabulary: readonly string[];
  /** The requested ids. */
  readonly tokens: readonly number[];
  /** One row per token in `tokens`. */
  readonly rows: Float32Array;
}

/** The tokens that occur in texts: without reserved and special tokens. */
export function textTokens(vocabulary: readonly string[]): number[] {
  return vocabulary.flatMap((token, id) => (/^\[(?:unused\d+|PAD|CLS|SEP|MASK|UNK)\]$/.test(token) ? [] : [id]));
}

/**
 * Reduces a transformer's vectors of single tokens to the 256 directions in which tokens differ most (principal
 * components), rounded to a byte each. Equal rows give equal tables, and almost equal rows (from another processor's
 * arithmetic) almost equal tables, so that machines can search each other's indexes.
 */
export function distilTables({ vocabulary, tokens, rows }: Teaching): DistilledTables {
  const width = rows.length / tokens.length;
  const dimensions = Math.min(DIMENSIONS, width);
  const taught = centred(rows, width);
  const directions = flattened(aligned(principalDirections(covariance(taught, width), dimensions)));
  const matrix = new Int8Array(vocabulary.length * dimensions);
  const scales = new Float32Array(vocabulary.length);
  for (const [row, token] of tokens.entries()) {
    const projected = project(taught.subarray(row * width, (row + 1) * width), directions, dimensions);
    scales[token] = roundInto(matrix, token * dimensions, projected);
  }
  return { dimensions, matrix, scales, importance: tokenImportance(vocabulary) };
}

function centred(rows: Float32Array, width: number): Float32Array {
  const mean = new Float64Array(width);
  for (let i = 0; i < rows.length; i++) mean[i % width] = (mean[i % width] ?? 0) + (rows[i] ?? 0);
  const count = rows.length / width;
  return rows.map((value, i) => value - (mean[i % width] ?? 0) / count);
}

function covariance(rows: Float32Array, width: number): Matrix {
  const sums = new Float64Array(width * width);
  const count = rows.length / width;
  // four rows per pass, so that the sums are read and written a quarter as often
  for (let row = 0; row < count; row += 4) {
    const [p, q, r, s] = [row, row + 1, row + 2, row + 3].map((n) => rowOrZeros(rows, n, width)) as Quad<Float32Array>;
    for (let a = 0; a < width; a++) {
      const [pa, qa, ra, sa] = [p[a] ?? 0, q[a] ?? 0, r[a] ?? 0, s[a] ?? 0];
      for (let b = a, at = a * width + a; b < width; b++, at++) {
        sums[at] =
          (sums[at] as number) +
          pa * (p[b] as number) +
          qa * (q[b] as number) +
          ra * (r[b] as number) +
          sa * (s[b] as number);
      }
    }
  }
  const matrix = new Matrix(width, width);
  for (let a = 0; a < width; a++) {
    for (let b = a; b < width; b++) {
      const value = (sums[a * width + b] ?? 0) / (count - 1);
      matrix.set(a, b, value);
      matrix.set(b, a, value);
    }
  }
  return matrix;
}

type Quad<T> = [T, T, T, T];

function rowOrZeros(rows: Float32Array, row: number, width: number): Float32Array {
  const found = rows.subarray(row * width, (row + 1) * width);
  return found.length === width ? found : new Float32Array(width);
}

/** The eigenvectors of the largest eigenvalues, as the columns of a matrix. */
function principalDirections(matrix: Matrix, count: number): Matrix {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
  const columns = realEigenvalues
    .map((value, column) => ({ value, column }))
    .sort((a, b) => b.value - a.value)
    .slice(0, count)
    .map(({ column }) => column);
  return eigenvectorMatrix.subMatrixColumn(columns);
}

/**
 * Rotates the directions within the space that they span as close as possible to the transformer's own first axes
 * (orthogonal Procrustes). The order of two nearly equal components, and their signs, depend on the last bits of the
 * arithmetic. The space itself does not, and angles between vectors are preserved.
 */
function aligned(directions: Matrix): Matrix {
  const { leftSingularVectors, rightSingularVectors } = new SVD(
    directions.subMatrix(0, directions.columns - 1, 0, directions.columns - 1).transpose(),
  );
  return directions.mmul(leftSingularVectors.mmul(rightSingularVectors.transpose()));
}

/** Row by row, padded with rows of zeros to a multiple of four. */
function flattened(matrix: Matrix): Float64Array {
  const flat = new Float64Array(Math.ceil(matrix.rows / 4) * 4 * matrix.columns);
  flat.set(matrix.to1DArray());
  return flat;
}

function project(input: Float32Array, directions: Float64Array, dimensions: number): Float64Array {
  const output = new Float64Array(dimensions);
  for (let d = 0; d < input.length; d += 4) {
    const [a, b, c, e] = [input[d] ?? 0, input[d + 1] ?? 0, input[d + 2] ?? 0, input[d + 3] ?? 0];
    const row = d * dimensions;
    const [rowB, rowC, rowE] = [row + dimensions, row + 2 * dimensions, row + 3 * dimensions];
    for (let k = 0; k < dimensions; k++) {
      output[k] =
        (output[k] as number) +
        a * (directions[row + k] as number) +
        b * (directions[rowB + k] as number) +
        c * (directions[rowC + k] as number) +
        e * (directions[rowE + k] as number);
    }
  }
  return output;
}

/** Rounds `values` to bytes in `matrix` from `start` on; returns the value of one unit. */
function roundInto(matrix: Int8Array, start: number, values: Float64Array): number {
  const largest = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const scale = largest / 127 || 1;
  for (const [k, value] of values.entries()) matrix[start + k] = Math.round(value / scale);
  return scale;
}
