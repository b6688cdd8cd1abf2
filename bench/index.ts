import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import Table from 'cli-table3';
import { median, shown } from './harness.ts';
import type { Benchmark, Figure } from './harness.ts';
import { currentLoad, describeMachine } from './machine.ts';
import { BENCHMARKS, readOptions } from './options.ts';

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
    console.error(styleText('bold', `▸ ${name}: ${about}`, { stream: process.stderr }));
    const figures = await run({
      runs,
      dir,
      signal,
      note: (line) => console.error(styleText('dim', `  ${line}`, { stream: process.stderr })),
    });
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
    head: [`${benchmark} (load ${loadBefore} → ${loadAfter})`, 'median', 'min – max', 'runs', 'requirement'],
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
