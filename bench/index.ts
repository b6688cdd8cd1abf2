import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import pc from 'picocolors';
import { median, shown } from './harness.ts';
import type { Benchmark, Figure } from './harness.ts';
import { currentLoad, describeMachine } from './machine.ts';

const USAGE = `npm run bench [-- options]

  --only NAME   one benchmark; may be repeated
  --runs N      measured runs of each (default 5)
  --json FILE   also write the results to a file`;

const BENCHMARKS: Readonly<Record<string, () => Promise<Benchmark>>> = {
  deltas: async () => (await import('./deltas.ts')).deltas,
  onboarding: async () => (await import('./onboarding.ts')).onboarding,
  retrieval: async () => (await import('./retrieval.ts')).retrieval,
  'search-latency': async () => (await import('./search-latency.ts')).searchLatency,
  memory: async () => (await import('./memory.ts')).memory,
  parallel: async () => (await import('./parallel.ts')).parallel,
  fleet: async () => (await import('./fleet.ts')).fleet,
  histories: async () => (await import('./histories.ts')).histories,
  'quiet-sync': async () => (await import('./quiet-sync.ts')).quietSync,
};

interface Measured {
  readonly benchmark: string;
  readonly about: string;
  readonly loadBefore: number;
  readonly loadAfter: number;
  readonly figures: readonly Figure[];
}

const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopped.abort());
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!stopped.signal.aborted) throw error;
  process.exitCode = 130;
}

async function main(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv);
  if (typeof options === 'string') {
    console.error(options);
    return 2;
  }
  const machine = await describeMachine();
  console.log(
    Object.entries(machine)
      .map(([name, value]) => `${name}: ${value}`)
      .join(', '),
  );
  const results: Measured[] = [];
  for (const name of options.names) {
    const measured = await measure(name, options.runs, stopped.signal);
    results.push(measured);
    console.log(`\n${describe(measured)}`);
  }
  if (options.json !== undefined) {
    await writeFile(options.json, `${JSON.stringify({ machine, runs: options.runs, results }, null, 2)}\n`);
  }
  return 0;
}

/** Runs one benchmark in a separate folder, which is removed afterwards in every case. */
async function measure(name: string, runs: number, signal: AbortSignal): Promise<Measured> {
  const { about, measure: run } = await load(name);
  const dir = await mkdtemp(join(tmpdir(), `longhaul-bench-${name}-`));
  const loadBefore = currentLoad();
  try {
    console.error(pc.bold(`▸ ${name}: ${about}`));
    const figures = await run({ runs, dir, signal, note: (line) => console.error(pc.dim(`  ${line}`)) });
    return { benchmark: name, about, loadBefore, loadAfter: currentLoad(), figures };
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

function load(name: string): Promise<Benchmark> {
  const benchmark = BENCHMARKS[name];
  if (benchmark === undefined) throw new Error(`no benchmark is called ${name}`);
  return benchmark();
}

function describe({ benchmark, loadBefore, loadAfter, figures }: Measured): string {
  const table = new Table({
    head: [`${benchmark} (load ${loadBefore} → ${loadAfter})`, 'median', 'min – max', 'runs', 'promised'],
    colAligns: ['left', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const { what, unit, values, bar } of figures) {
    const suffix = unit === 'count' ? '' : ` ${unit}`;
    const spread = `${shown(Math.min(...values))} – ${shown(Math.max(...values))}`;
    table.push([what, `${shown(median(values))}${suffix}`, spread, values.length, bar ?? '']);
  }
  return table.toString();
}

/** The options, or the reason why they are invalid. */
function readOptions(argv: readonly string[]): { names: string[]; runs: number; json: string | undefined } | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        only: { type: 'string', multiple: true },
        runs: { type: 'string', default: '5' },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    const names = values.only ?? Object.keys(BENCHMARKS);
    const unknown = names.filter((name) => !Object.hasOwn(BENCHMARKS, name));
    const runs = Number(values.runs);
    if (values.help === true) return USAGE;
    if (unknown.length > 0)
      return `There is no benchmark ${unknown.join(', ')}; available: ${Object.keys(BENCHMARKS).join(', ')}.`;
    if (!Number.isInteger(runs) || runs < 1) return `--runs must be a whole number from 1, not ${values.runs}.`;
    return { names, runs, json: values.json };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`;
  }
}
