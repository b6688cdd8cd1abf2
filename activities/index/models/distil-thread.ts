import { readFile } from 'node:fs/promises';
import { move, workerData } from 'piscina';
import type { ModelFiles } from './model-files.ts';
import { meanOfTokens, openTransformer } from './onnx-model.ts';
import { createWordPiece } from './wordpiece.ts';

const { onnx, tokenizer } = workerData as ModelFiles;
const [first, last] = createWordPiece(await readFile(tokenizer, 'utf8')).encodeSequence('', 2);
const { run, dimensions } = await openTransformer(onnx, { sameShapes: true });

/** One thread's part of a distillation: the transformer's vector of each single token, row by row. */
export default async function ask(tokens: readonly number[]): Promise<Float32Array> {
  const output = await run(
    tokens.flatMap((token) => [first ?? 0, token, last ?? 0]),
    tokens.length,
  );
  const rows = new Float32Array(tokens.length * dimensions);
  for (const row of tokens.keys()) rows.set(meanOfTokens(output, row * 3, 3, dimensions), row * dimensions);
  return move(rows) as Float32Array;
}
