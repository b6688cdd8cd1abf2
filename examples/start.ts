import { setTimeout } from 'node:timers/promises';
import { styleText } from 'node:util';
import { FAILURES, LonghaulError } from '../domain/shared/failures.ts';
import { advanceFleet, makeFleet, rewindFleet } from './fleet.ts';
import type { FleetProgress } from './fleet.ts';
import { CommandFailed, longhaul, longhaulJson } from './longhaul.ts';
import { fleetResult, statusResult } from './results.schema.ts';
import type { PrintedFleetResult, Status } from './results.schema.ts';
import { showDeployments } from './deploy.ts';
import type { DeployScene } from './deploy.ts';
import { shellWord } from './place.ts';
import { showRelease } from './release.ts';
import type { ReleaseScene } from './release.ts';
import { readScene, USAGE } from './scene.ts';
import type { Scene } from './scene.ts';
import { newStages } from './stages.ts';
import type { Stages } from './stages.ts';

interface Run extends Scene {
  readonly stages: Stages;
  readonly signal: AbortSignal;
  /** Every repository that failed, for the list at the end. */
  readonly failures: PrintedFleetResult['failures'];
}

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
  try {
    const scene = await readScene(argv);
    if (scene !== null) return await show(scene, interrupted.signal);
    print(USAGE);
    return 0;
  } catch (error) {
    if (interrupted.signal.aborted) {
      print('Interrupted. Start again to continue.');
      return 130;
    }
    return explain(error);
  }
}

/** Runs everything up to the table; in every case a stack that this program started is stopped again. */
async function show(scene: Scene, signal: AbortSignal): Promise<number> {
  const run: Run = { ...scene, stages: newStages(print), signal, failures: [] };
  const before = await askStatus(run);
  const wasRunning = before.status === 'running';
  if (before.status === 'starting') {
    throw new LonghaulError('StackFailed', 'Another program is just starting the stack: wait until it is up.');
  }
  let failed = false;
  try {
    const uiUrl = await bringUp(run, before);
    const shown = await showWhatIsAsked(run);
    print(`\n${run.stages.table()}\n`);
    for (const problem of shown.problems) print(styleText('red', `  ${problem}`));
    failed = shown.problems.length > 0;
    print(uiUrl ? `Every flow with its history: ${styleText('cyan', uiUrl)}` : 'This Temporal server has no UI.');
    if (!scene.once) {
      print(tryNext(run, shown, wasRunning));
      await untilAborted(signal);
    }
  } catch (error) {
    if (!wasRunning) await bringDown(run).catch(explain);
    throw error;
  }
  if (!wasRunning) await bringDown(run);
  return failed ? 1 : 0;
}

/** What was shown. */
interface Shown {
  readonly problems: readonly string[];
  /** Commands of Longhaul to try next, and other lines. */
  readonly next: readonly string[];
}

function showWhatIsAsked(run: Run): Promise<Shown> {
  if (run.deploy !== null) return deployments(run, run.deploy);
  return run.release === null ? showIndex(run) : release(run, run.release);
}

async function showIndex(run: Run): Promise<Shown> {
  if (run.fleet === null) await ownRepositories(run);
  else await demoFleet(run, run.fleet);
  return {
    problems: run.failures.map(({ repository, error }) => `${repository}: ${error}`),
    next: [`search ${shellWord(run.query)}`, 'index list', 'sync --all', 'doctor'],
  };
}

/** Needs the worker that runs programs of repositories: it is not started on a machine without a sandbox. */
async function needsPipelines(run: Run): Promise<void> {
  const { programs = [] } = await askStatus(run);
  if (!programs.some(({ name, alive }) => name === 'pipelines' && alive)) {
    throw new LonghaulError(
      'SandboxUnusable',
      'A release needs a worker that runs pipelines, and this machine has no sandbox for it; `longhaul up` said why.',
    );
  }
}

async function deployments(run: Run, scene: DeployScene): Promise<Shown> {
  await needsPipelines(run);
  const { dataDir = '' } = run;
  const { repository, problems } = await showDeployments({ ...run, dataDir, deploy: scene });
  return {
    problems,
    next: [`deployments list --repo ${repository}`, `db query 'SELECT * FROM deployments' --all --csv`],
  };
}

async function release(run: Run, scene: ReleaseScene): Promise<Shown> {
  await needsPipelines(run);
  const { repository, version, problems } = await showRelease({ ...run, release: scene, onProgress: progressLine() });
  const of = `${version} --repo ${repository}`;
  return {
    problems,
    next: [
      `evolution list ${of}`,
      `generation show ${of}`,
      `generation status ${of}`,
      `db query 'SELECT * FROM audit_events' --all --csv`,
      'gateway                # then the console is at http://127.0.0.1:8420/console/releases',
    ],
  };
}

/**
 * Indexes the fleet at its early versions, then advances it, as if its developers had worked for a year. A second run
 * sets it back first, which is a force-push to every repository that moves.
 */
async function demoFleet(run: Run, fleet: NonNullable<Scene['fleet']>): Promise<void> {
  const { stages, signal } = run;
  const progress = progressLine();
  await stages.stage(
    'make the fleet',
    () => makeFleet({ ...fleet, signal, onProgress: progress }),
    ({ made, reused, fetched }) => `${made} repositories made, ${reused} reused; ${fetched} npm packages fetched`,
  );
  await stages.stage(
    'set the fleet back to its early versions',
    () => rewindFleet({ ...fleet, signal }),
    (moved) => (moved === 0 ? 'already there' : `${moved} branches set back, as by a force-push`),
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

/** Starts the stack unless it is running, and returns the address of the Temporal UI. */
async function bringUp(run: Run, before: Status): Promise<string | null> {
  const { stages, config, dataDir, signal } = run;
  const wasRunning = before.status === 'running';
  await stages.stage(
    'bring the stack up',
    () => (wasRunning ? Promise.resolve() : longhaul(['up', '--detach'], { config, dataDir, signal })),
    () =>
      wasRunning
        ? 'it was already running, and stays up'
        : run.release === null
          ? 'Temporal, Weaviate, the embedding model, a worker'
          : 'Temporal, PostgreSQL, Weaviate, a worker, and one for pipelines in a sandbox',
  );
  const now = wasRunning ? before : await askStatus(run);
  if (now.status !== 'running' || !now.temporal) {
    throw new LonghaulError('StackFailed', '`longhaul up --detach` succeeded, but the stack is not running.');
  }
  return now.temporal.uiUrl;
}

function bringDown({ config, dataDir }: Run): Promise<void> {
  return longhaul(['down'], { config, dataDir });
}

function onboard({ stages, patterns, failures, config, dataDir, signal }: Run): Promise<PrintedFleetResult> {
  const args = ['index', 'add', '--yes', ...patterns.flatMap((pattern) => ['--pattern', pattern])];
  return stages.stage(
    `onboard ${patterns.join(' ')}`,
    () => longhaulJson(args, fleetResult, { config, dataDir, signal }),
    (result) => {
      failures.push(...result.failures);
      const { matched, succeeded, skipped, filesChanged, objectsWritten } = result;
      return `${matched} matched: ${succeeded} indexed (${filesChanged} files, ${objectsWritten} objects), ${skipped} already indexed${alsoFailed(result)}`;
    },
  );
}

function sync({ stages, failures, config, dataDir, signal }: Run, name: string): Promise<PrintedFleetResult> {
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
  await stages.stage(
    `search "${query}"`,
    () => longhaul(['search', query, '--limit', '5'], { config, dataDir, signal }),
    () => 'the best five are shown above',
  );
}

function alsoFailed({ failed }: PrintedFleetResult): string {
  return failed > 0 ? `, ${failed} failed` : '';
}

function tryNext({ config, dataDir }: Run, { next }: Shown, wasRunning: boolean): string {
  return `
Try next, in another terminal:
  export LONGHAUL_CONFIG=${shellWord(config)}${dataDir === undefined ? '' : ` LONGHAUL_DATA_DIR=${shellWord(dataDir)}`}
${next.map((command) => `  npm run longhaul -- ${command}\n`).join('')}  npm start -- --root ~/code

${wasRunning ? 'The stack was up before and stays up. Ctrl-C ends this program only.' : 'The stack stays up until Ctrl-C.'}`;
}

function progressLine(): (progress: FleetProgress) => void {
  return ({ path, step, finished, total }) => {
    if (step !== 'reused')
      process.stderr.write(
        `  ${styleText('dim', `${finished}/${total}`, { stream: process.stderr })} ${step} ${path}\n`,
      );
  };
}

function explain(error: unknown): number {
  if (error instanceof LonghaulError) {
    console.error(`${styleText('red', error.message, { stream: process.stderr })}\n${FAILURES[error.type].remedy}`);
    return FAILURES[error.type].exitCode;
  }
  if (error instanceof CommandFailed) {
    console.error(styleText('red', error.message, { stream: process.stderr }));
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
