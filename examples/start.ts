import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { stringify } from 'yaml';
import { FAILURES, LonghaulError } from '../domain/failures.ts';
import { advanceFleet, makeFleet, rewindFleet } from './fleet.ts';
import type { FleetProgress } from './fleet.ts';
import { CommandFailed, longhaul, longhaulJson } from './longhaul.ts';
import { fleetResult, searchResult, statusResult } from './results.schema.ts';
import type { FleetResult, SearchResult, Status } from './results.schema.ts';
import { newStages } from './stages.ts';
import type { Stages } from './stages.ts';

const USAGE = `npm start [-- options]

Without options: makes a fleet of real repositories, indexes it, moves it on, keeps the index in step, and searches it.

  --root DIR      your own repositories instead: a folder that holds org/repo or org/project/repo
  --pattern P     your own repositories instead: those of your longhaul.yaml that match, e.g. "org/*"; may be repeated
  --config FILE   that longhaul.yaml (default: LONGHAUL_CONFIG, or longhaul.yaml in this folder)
  --search TEXT   what to search for at the end
  --data DIR      where the servers keep their state (default: .longhaul in this checkout, or as longhaul.yaml says)
  --once          stop everything and exit after the table
`;

const CHECKOUT = fileURLToPath(new URL('..', import.meta.url));
const EVERYTHING = '*/*/*';
const DEMO_QUERY = 'parse the options given on the command line';
const OWN_QUERY = 'read the configuration file';

/** What the program works on. */
interface Scene {
  /** The configuration file. */
  readonly config: string;
  /** The servers' data folder; undefined: the one that the configuration names. */
  readonly dataDir: string | undefined;
  readonly patterns: readonly string[];
  readonly query: string;
  /** The demo fleet's folders; null when the repositories are the user's own. */
  readonly fleet: { readonly root: string; readonly cacheDir: string } | null;
}

interface Run extends Scene {
  readonly stages: Stages;
  readonly signal: AbortSignal;
  /** Every repository that failed, to be named at the end. */
  readonly failures: FleetResult['failures'];
}

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
  try {
    const options = readOptions(argv);
    if (options.help === true) {
      print(USAGE);
      return 0;
    }
    return await show(await setScene(options), options.once === true, interrupted.signal);
  } catch (error) {
    if (interrupted.signal.aborted) return 130;
    return explain(error);
  }
}

/** From nothing to the table; whatever happens, a stack that this program started is stopped again. */
async function show(scene: Scene, once: boolean, signal: AbortSignal): Promise<number> {
  const run: Run = { ...scene, stages: newStages(print), signal, failures: [] };
  const before = await askStatus(run);
  const wasRunning = before.status === 'running';
  try {
    const uiUrl = await bringUp(run, before);
    if (run.fleet === null) await ownRepositories(run);
    else await demoFleet(run, run.fleet);
    print(`\n${run.stages.table()}\n`);
    for (const { repository, error } of run.failures) print(pc.red(`  ${repository}: ${error}`));
    print(uiUrl ? `Every flow with its history: ${pc.cyan(uiUrl)}` : 'This Temporal server has no UI.');
    if (!once) {
      print(tryNext(run, wasRunning));
      await untilAborted(signal);
    }
  } finally {
    if (!wasRunning) await longhaul(['down'], { config: run.config, dataDir: run.dataDir });
  }
  return run.failures.length > 0 ? 1 : 0;
}

/**
 * The fleet at its early versions is indexed, then moves on, as if its developers had worked for a year. On a second run
 * it is led back first, which is a force-push to every repository that moves.
 */
async function demoFleet(run: Run, fleet: NonNullable<Scene['fleet']>): Promise<void> {
  const { stages, signal } = run;
  const progress = progressLine();
  await stages.stage(
    'make the fleet',
    () => makeFleet({ ...fleet, signal, onProgress: progress }),
    ({ made, kept, fetched }) =>
      `${made} repositories made out of ${fetched} fetched npm packages${kept > 0 ? `, ${kept} kept from before` : ''}`,
  );
  await stages.stage(
    'set the fleet back to its early versions',
    () => rewindFleet({ ...fleet, signal }),
    (moved) => (moved === 0 ? 'it is there already' : `${moved} branches set back, as by a force-push`),
  );
  const added = await onboard(run);
  if (added.skipped > 0) await sync(run, 'delta-sync: back to the early versions');
  await stages.stage(
    'advance the fleet',
    () => advanceFleet({ ...fleet, signal }),
    (moved) => `${moved} branches moved to their newest version`,
  );
  await sync(run, 'delta-sync: on to the newest versions');
  await search(run);
}

async function ownRepositories(run: Run): Promise<void> {
  await onboard(run);
  await sync(run, 'delta-sync');
  await search(run);
}

function askStatus({ config, dataDir, signal }: Run): Promise<Status> {
  return longhaulJson(['status'], statusResult, { config, dataDir, signal });
}

/** Starts the stack unless it runs, and returns the address of the Temporal UI. */
async function bringUp(run: Run, before: Status): Promise<string | null> {
  const { stages, config, dataDir, signal } = run;
  const wasRunning = before.status === 'running';
  await stages.stage(
    'bring the stack up',
    () => (wasRunning ? Promise.resolve() : longhaul(['up', '--detach'], { config, dataDir, signal })),
    () => (wasRunning ? 'it was running, and is left running' : 'Temporal, Weaviate, the embedding model, a worker'),
  );
  const now = wasRunning ? before : await askStatus(run);
  if (now.status !== 'running' || !now.temporal) {
    throw new LonghaulError('StackFailed', '`longhaul up --detach` succeeded, yet the stack does not run.');
  }
  return now.temporal.uiUrl;
}

function onboard({ stages, patterns, failures, config, dataDir, signal }: Run): Promise<FleetResult> {
  const args = ['index', 'add', '--yes', ...patterns.flatMap((pattern) => ['--pattern', pattern])];
  return stages.stage(
    `onboard ${patterns.join(' ')}`,
    () => longhaulJson(args, fleetResult, { config, dataDir, signal }),
    (result) => {
      failures.push(...result.failures);
      const { matched, succeeded, skipped, filesChanged, objectsWritten } = result;
      return `${matched} matched: ${succeeded} indexed (${filesChanged} files, ${objectsWritten} objects), ${skipped} indexed before${alsoFailed(result)}`;
    },
  );
}

function sync({ stages, failures, config, dataDir, signal }: Run, name: string): Promise<FleetResult> {
  return stages.stage(
    name,
    () => longhaulJson(['sync', '--all'], fleetResult, { config, dataDir, signal }),
    (result) => {
      failures.push(...result.failures);
      const { matched, succeeded, filesChanged, objectsWritten, objectsDeleted } = result;
      return `${matched} checked, ${succeeded} changed: ${filesChanged} files, ${objectsWritten} objects written, ${objectsDeleted} deleted${alsoFailed(result)}`;
    },
  );
}

async function search({ stages, query, config, dataDir, signal }: Run): Promise<void> {
  const found = await stages.stage(
    `search "${query}"`,
    () => longhaulJson(['search', query, '--limit', '5'], searchResult, { config, dataDir, signal }),
    ({ results, tookMs }) => `${results.length} results in ${Math.round(tookMs)} ms`,
  );
  print(found.results.map(describeResult).join('\n'));
}

function describeResult({ repo, path, startLine, endLine, snippet }: SearchResult['results'][number]): string {
  const lines = snippet.split('\n').filter((line) => line.trim() !== '');
  const shown = lines.slice(0, 4).map((line) => pc.dim(`      ${line.slice(0, 110)}`));
  return [`    ${pc.cyan(repo)} ${path}:${startLine}-${endLine}`, ...shown].join('\n');
}

function alsoFailed({ failed }: FleetResult): string {
  return failed > 0 ? `, ${failed} failed` : '';
}

function tryNext({ config, dataDir, query }: Run, wasRunning: boolean): string {
  return `
Try next, in another terminal:
  export LONGHAUL_CONFIG=${quoted(config)}${dataDir === undefined ? '' : ` LONGHAUL_DATA_DIR=${quoted(dataDir)}`}
  npm run longhaul -- search ${quoted(query)}
  npm run longhaul -- index list
  npm run longhaul -- sync --all
  npm run longhaul -- doctor
  npm start -- --root ~/code

${wasRunning ? 'The stack was up before and stays up. Ctrl-C ends this program only.' : 'The stack stays up until Ctrl-C.'}`;
}

function quoted(word: string): string {
  return /^[\w./:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function readOptions(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        once: { type: 'boolean' },
        root: { type: 'string' },
        pattern: { type: 'string', multiple: true },
        config: { type: 'string' },
        data: { type: 'string' },
        search: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (cause) {
    throw new LonghaulError('InvalidInput', `${cause instanceof Error ? cause.message : String(cause)}\n\n${USAGE}`, {
      cause,
    });
  }
}

async function setScene({ root, pattern, config, data, search: text }: ReturnType<typeof readOptions>): Promise<Scene> {
  if (pattern !== undefined) {
    if (root !== undefined) throw new LonghaulError('InvalidInput', 'Give --root or --pattern, not both.');
    const file = resolve(config ?? process.env['LONGHAUL_CONFIG'] ?? 'longhaul.yaml');
    await mustExist(file, '--pattern asks the providers of a longhaul.yaml. Write one, or name it with --config');
    const dataDir = data === undefined ? undefined : resolve(data);
    return { config: file, dataDir, patterns: pattern, query: text ?? OWN_QUERY, fleet: null };
  }
  if (config !== undefined) throw new LonghaulError('InvalidInput', '--config goes with --pattern.');

  const base = resolve(data ?? join(CHECKOUT, '.longhaul', root === undefined ? 'demo' : 'own'));
  await mkdir(base, { recursive: true });
  if (root === undefined) {
    const fleet = { root: join(base, 'fleet'), cacheDir: join(base, 'packages') };
    await mkdir(fleet.root, { recursive: true });
    const file = await writeConfig(base, { name: 'demo', type: 'local', root: fleet.root });
    return { config: file, dataDir: base, patterns: [EVERYTHING], query: text ?? DEMO_QUERY, fleet };
  }
  const folder = resolve(root);
  await mustExist(folder, '--root names the folder that holds your repositories');
  const file = await writeConfig(base, { name: 'local', type: 'local', root: folder });
  return { config: file, dataDir: base, patterns: [EVERYTHING], query: text ?? OWN_QUERY, fleet: null };
}

async function writeConfig(base: string, provider: { name: string; type: 'local'; root: string }): Promise<string> {
  const file = join(base, 'longhaul.yaml');
  await writeFile(`${file}.new`, `# Written by npm start.\n${stringify({ providers: [provider], dataDir: base })}`);
  await rename(`${file}.new`, file);
  return file;
}

async function mustExist(path: string, otherwise: string): Promise<void> {
  await stat(path).catch((cause: unknown) => {
    throw new LonghaulError('InvalidInput', `${otherwise}: ${path} does not exist.`, { cause });
  });
}

function progressLine(): (progress: FleetProgress) => void {
  return ({ path, step, finished, total }) => {
    if (step !== 'kept') process.stderr.write(`  ${pc.dim(`${finished}/${total}`)} ${step} ${path}\n`);
  };
}

function explain(error: unknown): number {
  if (error instanceof LonghaulError) {
    console.error(`${pc.red(error.message)}\n${FAILURES[error.type].remedy}`);
    return FAILURES[error.type].exitCode;
  }
  if (error instanceof CommandFailed) {
    console.error(pc.red(error.message));
    return error.exitCode;
  }
  console.error(error);
  return 1;
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  const day = 86_400_000;
  while (!signal.aborted) await setTimeout(day, undefined, { signal }).catch(() => undefined);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
