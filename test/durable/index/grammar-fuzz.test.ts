import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc } from '@fast-check/vitest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AnalyzerPool, createAnalyzerPool } from '../../../activities/index/analysis/analyzer-pool.ts';
import { GRAMMARS } from '../../../activities/index/analysis/grammar-files.ts';
import { anyProgram } from '../../support/fuzz/any-program.ts';
import { ABORTING, fileNameFor, programFor, tokensOf } from '../../support/fuzz/grammar-seeds.ts';
import { fuzz, FUZZ_TIMEOUT_MS } from '../../support/fuzz/settings.ts';
import { realFiles } from '../../unit/index/real-files.ts';

let folder: string;
let pool: AnalyzerPool;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-fuzz-'));
  // a remote model is not called: the texts to embed come back
  const model = { kind: 'remote', digest: 'none', dimensions: 1 } as const;
  pool = createAnalyzerPool({ model, cacheFile: join(folder, 'cache.sqlite') }, { min: 1, max: 1 });
});
afterAll(async () => {
  await pool.close();
  await rm(folder, { recursive: true, force: true });
});

/** What the pool makes of texts as files of one name, without vectors. */
async function analyzed(path: string, texts: readonly string[]) {
  const files = texts.map((text) => ({ path, content: Buffer.from(text) }));
  const { done, faults } = await pool.analyze(files, undefined);
  return { files: done.flatMap((batch) => batch.files), faults };
}

test.for(GRAMMARS)(
  'whatever the grammar of %s does on a file costs no more than its syntax',
  { timeout: FUZZ_TIMEOUT_MS },
  async (grammar) => {
    const path = fileNameFor(grammar);
    const extension = path.slice(path.lastIndexOf('.'));
    const real = realFiles({ most: 12, extensions: new RegExp(`\\${extension}$`) }).map(({ content }) =>
      content.toString(),
    );
    const program = programFor(grammar);
    // parsed in the same thread after every batch: a fault that outlives its file changes what becomes of it
    const canary = program || (real[0] ?? '');
    const [expected] = (await analyzed(path, [canary])).files;
    const tokens = tokensOf(grammar);
    const seeds = [...real, program, ...(ABORTING[grammar] ?? [])]
      .filter((text) => text !== '')
      .map((text) => text.slice(0, 20_000));
    const counted = { batches: 0, files: 0, faults: 0 };
    const reasons = new Map<string, number>();
    await fuzz(
      fc.asyncProperty(
        fc.array(anyProgram(tokens, seeds.length > 0 ? seeds : ['x']), { minLength: 6, maxLength: 12 }),
        async (texts) => {
          const { files, faults } = await analyzed(path, [...texts, canary]);
          counted.batches++;
          counted.files += texts.length;
          counted.faults += faults.length;
          for (const { reason } of faults) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
          expect(files.at(-1)).toEqual(expected);
          expect(faults.map(({ file }) => file)).not.toContain(texts.length);
          for (const [at, text] of texts.entries()) expect(files[at]?.chunks.length === 0).toBe(isBlank(text));
        },
      ),
    );
    const said = [...reasons].map(([reason, times]) => `${times} × ${reason}`).join('; ');
    console.info(
      `fuzzed ${grammar}: ${counted.files} files, ${counted.faults} lost their syntax${said && ` (${said})`}`,
    );
  },
);

function isBlank(text: string): boolean {
  return (
    Buffer.from(text)
      .toString()
      .replace(/^\uFEFF/, '')
      .trim() === ''
  );
}
