import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { createRescorer } from '../activities/index/models/rescorer.ts';
import { search } from '../activities/index/search.ts';
import type { SearchTools } from '../activities/index/search.ts';
import { median } from './harness.ts';
import type { Benchmark, BenchContext, Figure } from './harness.ts';
import { openJudgedIndex } from './judged-index.ts';
import { cacheWithModels, forgetEmbeddings } from './servers.ts';

/**
 * The time of a search in an open session, and of the first one of a process, over all repositories of an index with at least {@link LEAST_CHUNKS}: the
 * judged packages, or copies of them. Each judged question is asked once per run.
 */
export const searchLatency: Benchmark = {
  about: 'milliseconds of a search in an open session, and of the first one of a process, over at least 50,000 chunks',
  measure,
};

const LEAST_CHUNKS = 50_000;
const QUESTIONS = 60;
/** Cold searches are slow, so a sample is used. */
const COLD_QUESTIONS = 20;
/** Fewest processes that search: a process takes longer than a search, and varies more. */
const LEAST_PROCESSES = 9;
/** After a bulk load BM25 is many times slower for a while: measurements start after that. */
const MOST_SETTLING = 60;

async function measure(context: BenchContext): Promise<Figure[]> {
  const { runs, dir, signal, note } = context;
  const index = await openJudgedIndex(context);
  try {
    const { client, judged, modelFolder, build } = index;
    const once = await build('Judged');
    const copies = Math.ceil(LEAST_CHUNKS / once.chunks);
    const { store, analyzer, chunks } = copies === 1 ? once : await build('JudgedCopies', { copies });
    note(`${chunks} chunks`);
    const all = judged.flatMap(({ queries }) => queries.map(({ query }) => query));
    const step = Math.max(1, Math.floor(all.length / QUESTIONS));
    const questions = all.filter((_query, at) => at % step === 0).slice(0, QUESTIONS);

    const ask = async (tools: SearchTools, query: string, rescore: boolean): Promise<number> => {
      signal.throwIfAborted();
      const start = performance.now();
      await search(client, tools, { query, rescore });
      return performance.now() - start;
    };
    const askAll = async (tools: SearchTools, queries: readonly string[], rescore: boolean): Promise<number[]> => {
      const took: number[] = [];
      for (const query of queries) took.push(await ask(tools, query, rescore));
      return took;
    };
    const withCache = async (): Promise<SearchTools> => ({
      store,
      analyzer,
      rescorer: createRescorer(modelFolder, await mkdtemp(join(dir, 'vectors-'))),
    });

    const tools = await withCache();
    await settle(() => askAll(tools, questions, false), note);
    const first: number[][] = [];
    const cached: number[][] = [];
    const cold: number[][] = [];
    await askAll(tools, questions, true);
    for (let run = 0; run < runs; run++) {
      first.push(await askAll(tools, questions, false));
      cached.push(await askAll(tools, questions, true));
      const empty = await withCache();
      // opens the model, once per session
      await ask(empty, questions.at(-1) ?? '', true);
      cold.push(await askAll(empty, questions.slice(0, COLD_QUESTIONS), true));
      await empty.rescorer?.close();
      note(`run ${run + 1} of ${runs}`);
    }
    await tools.rescorer?.close();
    const name = copies === 1 ? 'Judged' : 'JudgedCopies';
    const processes = await firstSearches({ ...context, dataDir: index.dataDir, name, questions });
    return [
      ...percentiles('first stage alone', first, '≤ 20'),
      ...percentiles('re-scored, vectors cached', cached, '≤ 50'),
      ...percentiles('re-scored, no vector cached', cold, '≤ 600'),
      ...processes,
    ];
  } finally {
    await index.close();
  }
}

interface Processes extends Pick<BenchContext, 'runs' | 'dir' | 'signal' | 'note'> {
  readonly dataDir: string;
  /** The name of the index. */
  readonly name: string;
  readonly questions: readonly string[];
}

/**
 * The time of `longhaul search` as a command of the built package, from the start of the process to its end, with the
 * stack running and compiled code cached.
 */
async function firstSearches({ runs, dir, signal, note, dataDir, name, questions }: Processes): Promise<Figure[]> {
  note('building the package');
  await execa(process.execPath, ['scripts/build.mjs'], { cancelSignal: signal });
  const config = join(dir, 'longhaul.yaml');
  await writeFile(config, `index:\n  name: ${name}\n`);
  const cacheDir = await cacheWithModels(dir);
  const env = { LONGHAUL_CACHE_DIR: cacheDir };
  const bin = join('dist', 'client', 'bin.js');
  const ask = async (query: string, ...options: string[]): Promise<number> => {
    const start = performance.now();
    const found = ['--config', config, '--data', dataDir, 'search', query, ...options];
    await execa(process.execPath, [bin, ...found], { env, cancelSignal: signal });
    return performance.now() - start;
  };
  const took: Record<'first' | 'cold' | 'cached', number[]> = { first: [], cold: [], cached: [] };
  await ask(questions[0] ?? '');
  for (const query of questions.slice(0, Math.max(runs, LEAST_PROCESSES))) {
    took.first.push(await ask(query, '--no-rescore'));
    forgetEmbeddings(cacheDir);
    took.cold.push(await ask(query));
    took.cached.push(await ask(query));
  }
  const figure = (what: string, values: readonly number[]): Figure => ({
    what: `first search of a process, ${what}`,
    unit: 'ms',
    values,
    bar: '≤ 1000',
  });
  return [
    figure('first stage alone', took.first),
    figure('vectors cached', took.cached),
    figure('no vector cached', took.cold),
  ];
}

/** Repeats until a round is no faster than the one before. */
async function settle(round: () => Promise<number[]>, note: (line: string) => void): Promise<void> {
  let before = Number.POSITIVE_INFINITY;
  for (let rounds = 1; rounds <= MOST_SETTLING; rounds++) {
    const now = median(await round());
    if (now > before * 0.95) {
      note(`settled after ${rounds} rounds`);
      return;
    }
    before = now;
  }
}

function percentiles(what: string, runs: readonly (readonly number[])[], bar: string): Figure[] {
  const at =
    (part: number) =>
    (took: readonly number[]): number =>
      took.toSorted((a, b) => a - b)[Math.min(took.length - 1, Math.floor(took.length * part))] ?? Number.NaN;
  return [
    { what: `${what}, p50`, unit: 'ms', values: runs.map(at(0.5)), bar },
    { what: `${what}, p95`, unit: 'ms', values: runs.map(at(0.95)) },
  ];
}
