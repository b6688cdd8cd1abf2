import { readFile } from 'node:fs/promises';
import { Piscina } from 'piscina';
import { siblingModule } from '../../../platform/sibling-module.ts';
import { distilTables, textTokens } from './distillation.ts';
import { packFailure } from '../analysis/packed-failure.ts';
import type { PackedFailure } from '../analysis/packed-failure.ts';
import type { ModelFiles } from './model-files.ts';
import { writeStaticModel } from './static-model.ts';
import { createWordPiece } from './wordpiece.ts';

/** The one message that the parent sends to this process. */
export interface DistilOrder {
  readonly files: ModelFiles;
  readonly target: string;
  /** Number of processors to use. */
  readonly parallel: number;
}

/** Its answers, before it exits with 0 when done. */
export type DistilReport =
  | { readonly message: string; readonly fraction: number }
  | { readonly failure: PackedFailure };

const BATCH = 256;
const MESSAGE = 'Distilling the embedding model';

async function distil({ files, target, parallel }: DistilOrder): Promise<void> {
  report({ message: MESSAGE, fraction: 0 });
  const { vocabulary } = createWordPiece(await readFile(files.tokenizer, 'utf8'));
  const tokens = textTokens(vocabulary);
  const rows = await askTransformer(files, tokens, parallel);
  await writeStaticModel(target, distilTables({ vocabulary, tokens, rows }));
  report({ message: MESSAGE, fraction: 1 });
}

async function askTransformer(files: ModelFiles, tokens: readonly number[], threads: number): Promise<Float32Array> {
  const pool = new Piscina<readonly number[], Float32Array>({
    filename: siblingModule(import.meta.url, 'distil-thread'),
    minThreads: threads,
    maxThreads: threads,
    workerData: files,
  });
  const starts = Array.from({ length: Math.ceil(tokens.length / BATCH) }, (_, batch) => batch * BATCH);
  let done = 0;
  const answers = await Promise.all(
    starts.map(async (start) => {
      const answer = await pool.run(tokens.slice(start, start + BATCH));
      done = Math.min(done + BATCH, tokens.length);
      // the rest is for the linear algebra
      report({ message: MESSAGE, fraction: (0.8 * done) / tokens.length });
      return answer;
    }),
  );
  await pool.destroy();
  return joined(answers);
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function report(answer: DistilReport): void {
  process.send?.(answer);
}

process.once('disconnect', () => process.exit(1));
process.once('message', (order: DistilOrder) => {
  distil(order).then(
    () => process.exit(0),
    (error: unknown) => process.send?.({ failure: packFailure(error) }, () => process.exit(1)),
  );
});
