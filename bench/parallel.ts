import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { stringify } from 'yaml';
import { loadConfig } from '../activities/shared/config.ts';
import { createPlanner } from '../activities/catalog/planner.ts';
import { reposWork } from '../activities/catalog/repos-role.ts';
import { type OpenTools, openTools } from '../activities/catalog/tools.ts';
import { startFlow } from '../client/core/start-flow.ts';
import { commitHeader, fileHeader, importRepository } from '../examples/git.ts';
import type { Stack } from '../stack/stack.ts';
import { workflowBundle } from '../workers/bundle.ts';
import { activityWorker, flowsWorker } from '../workers/roles.ts';
import { realFiles } from './corpus.ts';
import { untilAborted } from '../platform/until-aborted.ts';
import { mustEqual, timed } from './harness.ts';
import type { BenchContext, Benchmark, Figure } from './harness.ts';
import { cpuSeconds, pidOf } from './process-usage.ts';
import { emptyCache, forgetEmbeddings, localSource, startServers, startWorker } from './servers.ts';
import { createSink } from './sink.ts';

const REPOSITORIES = 32;
const FILES_EACH = 25;
const FILES = REPOSITORIES * FILES_EACH;
const WIDE = 8;

/**
 * Onboarding many repositories of real code through the real flow, a real worker and real servers: eight in parallel
 * compared with one at a time, with no cached embeddings; the same with all cached, and the same into a sink that only
 * acknowledges. The processor load with one repository at a time bounds the possible ratio; the shares of processor
 * time with eight show which process is the limit.
 */
export const parallelOnboarding: Benchmark = {
  about: `onboarding ${REPOSITORIES} repositories of ${FILES_EACH} real files, files/s of --parallel ${WIDE} ÷ --parallel 1`,
  measure,
};

/** One onboarding: its duration, and the processor seconds of each process. */
interface Onboarded {
  readonly seconds: number;
  readonly cpu: Readonly<Record<Process, number>>;
}

const PROCESSES = ['weaviate', 'temporal', 'worker'] as const;
type Process = (typeof PROCESSES)[number];

/** The same onboarding with one lane and with many. */
interface Pair {
  readonly narrow: Onboarded;
  readonly wide: Onboarded;
}

/** The target of an onboarding, and its worker. */
interface Place {
  readonly client: Client;
  readonly pids: Readonly<Record<Process, number>>;
  readonly root: string;
  /** Cache folder of the worker. */
  readonly cacheDir: string;
  readonly signal: AbortSignal;
}

async function measure(context: BenchContext): Promise<Figure[]> {
  const root = join(context.dir, 'repositories');
  context.note('making the repositories');
  await makeRepositories(join(root, 'template'), context.signal);
  const { unknown, known } = await intoWeaviate(context, root);
  // Weaviate's background work after writes would be counted with the sink
  const sinks = await intoSinks({ ...context, dir: join(context.dir, 'sinks') }, root);
  return [
    { what: `files/s, --parallel ${WIDE} ÷ 1`, unit: '×', values: unknown.map(ratio), bar: '≥ 1.5' },
    ...figuresOf('', unknown),
    { what: 'embeddings cached: the same ratio', unit: '×', values: known.map(ratio) },
    ...figuresOf('embeddings cached:', known),
    { what: 'into a sink: the same ratio', unit: '×', values: sinks.map(ratio) },
    ...figuresOf('into a sink: ', sinks),
  ];
}

/** A worker in its own process and the real Weaviate, without and with cached embeddings. */
async function intoWeaviate(context: BenchContext, root: string): Promise<Record<'unknown' | 'known', Pair[]>> {
  const { runs, signal, note } = context;
  const stack = await startServers(context, ['temporal', 'weaviate', 'model']);
  try {
    const { client, cacheDir, close } = await startWorker(stack, localSource(root), context);
    try {
      const pids = { ...pidsOf(stack), worker: pidOf(stack, 'worker') };
      const place = { client, pids, root, cacheDir, signal };
      note('warm-up');
      await onboard(place, 'template', WIDE);
      const unknown: Pair[] = [];
      const known: Pair[] = [];
      for (let run = 0; run < runs; run++) {
        unknown.push(await pair(place, `new-${run}`, { isKnown: false, narrowFirst: run % 2 === 0 }));
        known.push(await pair(place, `known-${run}`, { isKnown: true, narrowFirst: run % 2 === 0 }));
        note(`run ${run + 1}: ${secondsOf(unknown.at(-1))}; embeddings cached: ${secondsOf(known.at(-1))}`);
      }
      return { unknown, known };
    } finally {
      await close();
    }
  } finally {
    await stack.stop();
  }
}

/** The same flow and worker with a store that only acknowledges, without cached embeddings. */
async function intoSinks(context: BenchContext, root: string): Promise<Pair[]> {
  const { dir, runs, signal, note } = context;
  await mkdir(dir);
  const stack = await startServers(context, ['temporal', 'weaviate', 'model']);
  const { address, namespace } = stack.temporal;
  const cacheDir = await emptyCache(dir, 'cache');
  const config = join(dir, 'longhaul.yaml');
  await writeFile(config, stringify({ providers: [{ name: 'local', type: 'local', root }], cacheDir }));
  const weaviate = { ...stack.weaviate, apiKey: stack.weaviate.apiKey ?? undefined };
  const env = { ...process.env, LONGHAUL_CACHE_DIR: cacheDir, LONGHAUL_DATA_DIR: stack.dataDir };
  const tools = await openTools(loadConfig({ path: config, env }), { weaviate, modelFolder: stack.model.folder }, env);
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connection = await NativeConnection.connect({ address });
  const asking = await Connection.connect({ address });
  try {
    const at = { connection, namespace };
    const workers = await Promise.all([
      Worker.create(flowsWorker(at, await workflowBundle({ traced: false }))),
      Worker.create(activityWorker(at, 'repos', reposWork(await withSink(tools)))),
    ]);
    const running = workers.map((worker) => worker.run());
    const client = new Client({ connection: asking, namespace });
    const place = { client, pids: { ...pidsOf(stack), worker: process.pid }, root, cacheDir, signal };
    note('into a sink: warm-up');
    await onboard(place, 'template', WIDE);
    const pairs: Pair[] = [];
    for (let run = 0; run < runs; run++) {
      pairs.push(await pair(place, `sink-${run}`, { isKnown: false, narrowFirst: run % 2 === 0 }));
      note(`run ${run + 1}: ${secondsOf(pairs.at(-1))}`);
    }
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
    return pairs;
  } finally {
    await tools.close();
    await asking.close();
    await connection.close();
    await stack.stop();
  }
}

/** A worker's tools with a sink as store. */
async function withSink(tools: OpenTools): Promise<OpenTools> {
  const index = await tools.index();
  const { digest, mgit } = index;
  const store = createSink(digest);
  const planner = createPlanner({ mgit, store, digest, providers: tools.providers });
  return { ...tools, index: () => Promise.resolve({ ...index, store, planner }) };
}

function pidsOf(stack: Stack): Omit<Place['pids'], 'worker'> {
  return { weaviate: pidOf(stack, 'weaviate'), temporal: pidOf(stack, 'temporal') };
}

/** Repositories of real code with one commit each, like a package; no file is in two of them. */
async function makeRepositories(folder: string, signal: AbortSignal): Promise<void> {
  const paths = await realFiles();
  // spread over all packages
  const stride = Math.floor(paths.length / FILES);
  for (let repository = 0; repository < REPOSITORIES; repository++) {
    const own = paths
      .filter((_, at) => at % stride === 0)
      .slice(repository * FILES_EACH, (repository + 1) * FILES_EACH);
    const header = { ref: 'refs/heads/main', mark: 1, message: 'sources\n', time: 1_700_000_000, parents: [] };
    const commands: (string | Uint8Array)[] = [commitHeader(header)];
    for (const [at, path] of own.entries()) {
      const content = await readFile(path);
      commands.push(fileHeader('100644', `src/${at}-${basename(path)}`, content.length), content, '\n');
    }
    await importRepository(join(folder, `r${String(repository).padStart(2, '0')}.git`), commands, signal);
  }
}

function ratio({ narrow, wide }: Pair): number {
  return narrow.seconds / wide.seconds;
}

function secondsOf(measured: Pair | undefined): string {
  return measured ? `${measured.narrow.seconds.toFixed(1)} s and ${measured.wide.seconds.toFixed(1)} s` : '';
}

function figuresOf(about: string, pairs: readonly Pair[]): Figure[] {
  const busy = ({ seconds, cpu }: Onboarded): number => (100 * total(cpu)) / (seconds * availableParallelism());
  const share = ({ cpu }: Onboarded, name: Process): number => (100 * cpu[name]) / total(cpu);
  return [
    { what: `${about}--parallel 1, files`, unit: '/s', values: pairs.map(({ narrow }) => FILES / narrow.seconds) },
    { what: `${about}--parallel ${WIDE}, files`, unit: '/s', values: pairs.map(({ wide }) => FILES / wide.seconds) },
    { what: `${about}processors busy with 1`, unit: '%', values: pairs.map(({ narrow }) => busy(narrow)) },
    { what: `${about}processors busy with ${WIDE}`, unit: '%', values: pairs.map(({ wide }) => busy(wide)) },
    ...PROCESSES.map((name) => ({
      what: `${about}of that, ${name} with ${WIDE}`,
      unit: '%' as const,
      values: pairs.map(({ wide }) => share(wide, name)),
    })),
  ];
}

function total(cpu: Onboarded['cpu']): number {
  return PROCESSES.reduce((sum, name) => sum + cpu[name], 0);
}

/** Onboards two copies of the template, one with one lane and one with many, in either order. */
async function pair(
  place: Place,
  name: string,
  { isKnown, narrowFirst }: { readonly isKnown: boolean; readonly narrowFirst: boolean },
): Promise<Pair> {
  const lanes = narrowFirst ? [1, WIDE] : [WIDE, 1];
  const measured = new Map<number, Onboarded>();
  for (const lane of lanes) {
    const organization = `${name}-${lane}`;
    await cp(join(place.root, 'template'), join(place.root, organization), { recursive: true });
    if (!isKnown) forgetEmbeddings(place.cacheDir);
    measured.set(lane, await onboard(place, organization, lane));
  }
  const [narrow, wide] = [measured.get(1), measured.get(WIDE)];
  if (!narrow || !wide) throw new Error('a run is missing');
  return { narrow, wide };
}

async function onboard({ client, pids, signal }: Place, organization: string, parallelism: number): Promise<Onboarded> {
  const before = usedBy(pids);
  const { seconds, result } = await timed(async () => {
    const flow = await startFlow(client, 'onboardRepositories', {
      patterns: [`${organization}/*`],
      parallel: parallelism,
    });
    return untilAborted(signal, flow.result());
  });
  const after = usedBy(pids);
  mustEqual('repositories onboarded', result.succeeded, REPOSITORIES);
  mustEqual('files onboarded', result.filesChanged, FILES);
  const cpu = Object.fromEntries(PROCESSES.map((name) => [name, after[name] - before[name]])) as Onboarded['cpu'];
  return { seconds, cpu };
}

function usedBy(pids: Place['pids']): Onboarded['cpu'] {
  return Object.fromEntries(PROCESSES.map((name) => [name, cpuSeconds(pids[name])])) as Onboarded['cpu'];
}
