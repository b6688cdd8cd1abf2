import { type RankingWeights, RANKING } from '../domain/catalog/search/ranking.ts';
import { queryStems } from '../domain/catalog/search/identifiers.ts';
import { createRescorer, type Rescorer } from '../activities/index/models/rescorer.ts';
import type { ChunkProperties } from '../activities/index/store/schema.ts';
import { search } from '../activities/index/search.ts';
import type { SearchQuery, SearchTools } from '../activities/index/search.ts';
import type { Benchmark, BenchContext, Figure } from './harness.ts';
import { openJudgedIndex, repositoryOf } from './judged-index.ts';
import type { JudgedIndex } from './judged-index.ts';
import type { Judged } from './judged.ts';
import { BINARY, GRADED, ndcg } from './ndcg.ts';
import { plainBm25 } from './plain-bm25.ts';

/**
 * The quality of file ranking: NDCG@10 over the judged packages (bench/judged), each searched alone. Constants may be
 * tuned on the half `tune`; `held-out` is the unbiased result. `LONGHAUL_BENCH_TRANSFORMER=1` also indexes everything
 * with the transformer, which takes more than an hour the first time.
 */
export const retrieval: Benchmark = {
  about: 'NDCG@10 of files over judged queries, each package searched alone',
  measure,
};

/** A way to search: returns the paths that it finds in a package, best first. */
interface System {
  readonly name: string;
  readonly find: (judged: Judged, query: string) => Promise<readonly string[]>;
}

async function measure(context: BenchContext): Promise<Figure[]> {
  const index = await openJudgedIndex(context);
  const rescorer = createRescorer(index.modelFolder, index.cacheDir);
  try {
    const { systems, product, without } = await systemsOf(index, rescorer, context);
    const scoresBySystem = new Map<System, readonly Scored[]>();
    for (const system of [...systems, ...without]) {
      scoresBySystem.set(system, await scoresOf(system, index.judged, context.signal));
      context.note(`${system.name}: done`);
    }
    const scores = (system: System): readonly Scored[] => scoresBySystem.get(system) ?? [];
    return [
      ...systems.flatMap((system) => figuresOf(system.name, scores(system))),
      ...without.flatMap((system) => changesOf(system.name, scores(system), scores(product))),
    ];
  } finally {
    await rescorer.close();
    await index.close();
  }
}

/** What is measured: `without` are the product without one rule each. */
interface Systems {
  readonly systems: readonly System[];
  readonly product: System;
  readonly without: readonly System[];
}

async function systemsOf({ client, build }: JudgedIndex, rescorer: Rescorer, context: BenchContext): Promise<Systems> {
  const { store, analyzer } = await build('Judged');
  const chunks = client.collections.use<string, ChunkProperties>(store.names.chunks);
  const tools: SearchTools = { store, analyzer, rescorer };

  const ours = (name: string, with_: SearchTools, options: Partial<SearchQuery> = {}): System => ({
    name,
    find: async (judged, query) => {
      const answer = await search(client, with_, { query, repositories: [repositoryOf(judged)], ...options });
      return answer.results.map(({ path }) => path);
    },
  });
  const texts = new Map<string, { readonly paths: string[]; readonly scores: ReturnType<typeof plainBm25> }>();
  const plain: System = {
    name: 'BM25 over the text',
    async find(judged, query) {
      const repository = repositoryOf(judged);
      let corpus = texts.get(repository);
      if (corpus === undefined) {
        const found: { path: string; text: string }[] = [];
        for await (const page of store.inventory(repository)) {
          for (let at = 0; at < page.length; at += PAGE) {
            const ids = page.slice(at, at + PAGE).map(({ id }) => id);
            const { objects } = await chunks.query.fetchObjects({
              filters: chunks.filter.byId().containsAny(ids),
              limit: ids.length,
              returnProperties: ['path', 'text'],
            });
            found.push(...objects.map(({ properties: { path, text } }) => ({ path, text })));
          }
        }
        corpus = { paths: found.map(({ path }) => path), scores: plainBm25(found.map(({ text }) => text)) };
        texts.set(repository, corpus);
      }
      const { paths, scores } = corpus;
      const order = [...scores(query).entries()].filter(([, score]) => score > 0).sort((a, b) => b[1] - a[1]);
      return [...new Set(order.map(([at]) => paths[at] ?? ''))];
    },
  };
  const hybrid: System = {
    name: "Weaviate's hybrid, no rules",
    async find(judged, query) {
      const { objects } = await chunks.query.hybrid(queryStems(query).join(' '), {
        vector: Array.from(await analyzer.embedQuery(query)),
        alpha: 0.3,
        queryProperties: [
          { name: 'stems', weight: 2 },
          { name: 'pathStems', weight: 4 },
          { name: 'scopeStems', weight: 1 },
        ],
        limit: 100,
        returnProperties: ['path'],
        filters: chunks.filter.byProperty('repo').equal(repositoryOf(judged)),
      });
      return [...new Set(objects.map(({ properties: { path } }) => path))];
    },
  };
  const product = ours('longhaul', tools);
  const systems = [plain, hybrid, ours('longhaul --no-rescore', tools, { rescore: false }), product];
  const without = [ours('without the transformer', tools, { rescore: false })];
  for (const [name, weights] of Object.entries(ABLATIONS)) without.push(ours(name, { ...tools, weights }));
  if (process.env['LONGHAUL_BENCH_TRANSFORMER'] === '1') {
    context.note('indexing with the transformer');
    const large = await build('JudgedTransformer', { kind: 'onnx' });
    systems.push(ours('longhaul, index by transformer', { ...tools, store: large.store, analyzer: large.analyzer }));
  }
  return { systems, product, without };
}

const PAGE = 200;

const NO_KINDS = Object.fromEntries(Object.keys(RANKING.kinds).map((kind) => [kind, 1])) as RankingWeights['kinds'];

/** The product without each rule. */
const ABLATIONS: Readonly<Record<string, RankingWeights>> = {
  'without kinds of files': { ...RANKING, kinds: NO_KINDS },
  'without vectors': { ...RANKING, vector: 0, vectorOfSymbol: 0 },
  'without definitions': { ...RANKING, definition: 0, spelled: 0 },
  'without other chunks of a file': { ...RANKING, file: 0 },
  'without names that are only declared': { ...RANKING, declared: 0 },
  'without division by the number of definitions': { ...RANKING, ambiguity: 0 },
  'without name and folder': { ...RANKING, path: 0, pathOfSymbol: 0 },
};

interface Scored {
  readonly half: Judged['half'];
  readonly category: string;
  readonly binary: number;
  readonly graded: number;
}

async function scoresOf({ find }: System, judged: readonly Judged[], signal: AbortSignal): Promise<Scored[]> {
  const scored: Scored[] = [];
  for (const one of judged) {
    for (const query of one.queries) {
      signal.throwIfAborted();
      const found = await find(one, query.query);
      const { category } = query;
      scored.push({ half: one.half, category, binary: ndcg(found, query, BINARY), graded: ndcg(found, query, GRADED) });
    }
  }
  return scored;
}

function figuresOf(name: string, scored: readonly Scored[]): Figure[] {
  const half = (which: Judged['half']): readonly Scored[] => scored.filter((one) => one.half === which);
  const line = (what: string, values: readonly number[]): Figure => ({
    what,
    unit: 'count',
    values: [rounded(mean(values))],
  });
  return (['tune', 'held-out'] as const).flatMap((which) => {
    const ones = half(which);
    if (ones.length === 0) return [];
    const figures = [
      line(
        `${name} · ${which}`,
        ones.map(({ binary }) => binary),
      ),
    ];
    for (const category of ['symbol', 'semantic', 'architecture']) {
      const some = ones.filter((one) => one.category === category);
      figures.push(
        line(
          `${name} · ${which} · ${category}`,
          some.map(({ binary }) => binary),
        ),
      );
    }
    return [
      ...figures,
      line(
        `${name} · ${which} · graded`,
        ones.map(({ graded }) => graded),
      ),
    ];
  });
}

/**
 * The change of a system against the product in each half, and its 95 % interval: a bootstrap over the questions, each
 * paired with itself. The values are the lower end, the mean and the upper end.
 */
function changesOf(name: string, scored: readonly Scored[], product: readonly Scored[]): Figure[] {
  return (['tune', 'held-out'] as const).map((half) => {
    const changes = scored.flatMap((one, at) => (one.half === half ? [one.binary - (product[at]?.binary ?? 0)] : []));
    const means = Array.from({ length: DRAWS }, (_, draw) => meanOfDraw(changes, draw)).sort((a, b) => a - b);
    const values = [means[Math.floor(DRAWS * 0.025)], mean(changes), means[Math.floor(DRAWS * 0.975)]];
    return { what: `${name} · ${half}: change`, unit: 'count', values: values.map((value = 0) => rounded(value)) };
  });
}

const DRAWS = 10_000;

/** The mean of as many values as there are, drawn with replacement; the same for the same number of the draw. */
function meanOfDraw(values: readonly number[], draw: number): number {
  let state = draw + 1;
  let sum = 0;
  for (let drawn = 0; drawn < values.length; drawn++) {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    sum += values[Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * values.length)] ?? 0;
  }
  return sum / values.length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
