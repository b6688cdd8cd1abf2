import { mkdir, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PipelineJob } from '../../../domain/release/contracts/pipeline.schema.ts';
import {
  isPassed,
  type JobResult,
  type JobTail,
  type ReportSummary,
  type RunJobInput,
  stateOfStep,
  type StepResult,
  type StepState,
} from '../../../domain/release/pipelines/job.ts';
import type { PlannedJob } from '../../../domain/release/pipelines/plan.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { sha256 } from '../../../platform/sha256.ts';
import { temporaryPath } from '../../../platform/temporary.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { coverageOf, type JobReports } from '../../../domain/release/quality/report.ts';
import type { PrivateNetwork, Sandbox } from '../../sandbox/sandbox.ts';
import { readReports, storeReports } from '../reports/read-reports.ts';
import type { CommitSources } from './commit-sources.ts';
import { archiveFiles, unpackFiles } from './file-archive.ts';
import { type KeyedCache, restoreCaches, saveCaches } from './job-cache.ts';
import { createJobLog, followTail, type JobLog } from './job-log.ts';
import { readOutputs } from './job-outputs.ts';
import { programOf, startServices } from './job-services.ts';
import type { JobSecrets } from './job-secrets.ts';

/** What jobs are run with. */
export interface JobTools {
  readonly blobs: BlobStore;
  readonly sources: CommitSources;
  readonly sandbox: Sandbox;
  readonly secrets: JobSecrets;
  /** The most bytes that the artifacts of a job may have. */
  readonly artifactBytes: number;
}

/** A job and where its run stands. */
export interface JobToRun {
  readonly input: RunJobInput;
  readonly planned: PlannedJob;
  readonly job: PipelineJob;
  /** Variables of the pipeline. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Receives the last lines of the output while it runs. */
  readonly onTail: (tail: JobTail) => void;
}

/** A job whose steps are shown while they run. */
interface ShownJob extends JobToRun {
  readonly shown: StepState[];
}

/** Bytes of `LONGHAUL_NEEDS`: Linux takes no variable of more than 128 KiB. */
const LARGEST_NEEDS = 100_000;

/** Characters of what is wrong with the files of a job: it becomes a part of the history. */
const MOST_OF_PROBLEM = 1_000;

/** In the repository of the work tree, so that it is no change of the commit. */
const OUTPUT_FILE = join('.git', 'longhaul', 'output');

/**
 * Runs one attempt of a job in a work tree of exactly its commit, which is deleted afterwards. Its steps run one after
 * another until one fails. A failed step is a result; an error is thrown when the job could not be run, and the reason of
 * the signal when it was cancelled.
 */
export async function runJob(tools: JobTools, todo: JobToRun): Promise<JobResult> {
  const { blobs, sources, sandbox } = tools;
  const { input, job, signal, onTail } = todo;
  const started = performance.now();
  const startedAt = new Date().toISOString();
  const secrets = tools.secrets.valuesFor(input.repository, job.secrets);
  // its own: an attempt that the server takes for dead may still be running
  const folder = temporaryPath(join(await realpath(sandbox.scratch), 'job'));
  const log = await createJobLog(blobs);
  const shown: StepState[] = [];
  const stopTail = followTail(
    log,
    (tail) => onTail({ job: input.job, attempt: input.attempt, ...tail, startedAt, steps: [...shown] }),
    () => `${shown.length} ${shown.at(-1)?.state}`,
  );
  try {
    await sources.checkOut(input.packed, folder, { about: input.repository, signal });
    for (const { artifacts } of Object.values(input.needs)) {
      if (artifacts !== null) await unpackFiles(blobs, artifacts, folder);
    }
    await mkdir(join(folder, '.git', 'longhaul'));
    await writeFile(join(folder, OUTPUT_FILE), '');
    const before = await prepare(tools, todo, folder);
    await sandbox.give(folder);
    const { steps, unready } =
      before.problem === null
        ? await runAll(sandbox, { ...todo, shown }, folder, log, started, secrets)
        : { steps: [], unready: before.problem };
    const arePassed = steps.length === job.steps.length && steps.every(isPassed);
    const { problem: missing, ...kept } = await keep(tools, todo, folder, arePassed);
    const problem = unready ?? missing;
    if (arePassed && problem === null) {
      await saveCaches(blobs, before.caches, { folder, mostBytes: tools.artifactBytes, signal });
    }
    if (problem !== null) await log.note(`== ${problem} ==`);
    // both wait for the disk
    const [stored] = await Promise.all([log.commit(), removeFolder(folder)]);
    return {
      status: arePassed && problem === null ? 'passed' : 'failed',
      steps,
      ...kept,
      problem,
      log: stored,
      startedAt,
      durationMs: elapsed(started),
      sandbox: sandbox.isolation.kind,
    };
  } catch (error) {
    await log.discard();
    throw error;
  } finally {
    stopTail();
    await removeFolder(folder);
  }
}

function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** What a job leaves behind, when its programs have ended. */
type Kept = Pick<JobResult, 'outputs' | 'artifacts' | 'reports' | 'problem'>;

/** Keeps outputs, reports and artifacts. What is wrong with them makes the job fail, and is no error of this worker. */
async function keep(
  { blobs, sandbox, artifactBytes }: JobTools,
  { job, signal }: JobToRun,
  folder: string,
  arePassed: boolean,
): Promise<Kept> {
  let kept: Kept = { outputs: {}, artifacts: null, reports: null, problem: null };
  const problem = await problemOf(async () => {
    kept = { ...kept, outputs: await readOutputs(join(folder, OUTPUT_FILE), job.outputs) };
    const problems: string[] = [];
    if (job.reports !== undefined) {
      const { reports, problems: bad } = await readReports(folder, sandbox.workFolder ?? folder, job.reports);
      kept = { ...kept, reports: { digest: await storeReports(blobs, reports), ...summaryOf(reports) } };
      problems.push(...bad);
    }
    const patterns = job.artifacts;
    if (patterns !== undefined) {
      const options = { folder, patterns, about: 'artifacts', mostBytes: artifactBytes, signal };
      kept = { ...kept, artifacts: await archiveFiles(blobs, options) };
      if (kept.artifacts === null) problems.push(`artifacts: no file matches ${patterns.join(', ')}`);
    }
    // a job whose steps failed did not come to write them
    return arePassed && problems.length > 0 ? problems.join('; ').slice(0, MOST_OF_PROBLEM) : null;
  });
  return { ...kept, problem };
}

function summaryOf({ tests, coverage, findings }: JobReports): Omit<ReportSummary, 'digest'> {
  return {
    tests: tests.length,
    failed: tests.filter(({ status }) => status === 'failed').length,
    coverage: coverageOf(coverage),
    findings: findings.length,
  };
}

/** What the caches of a job need to be saved later, and why it cannot start. */
interface Prepared {
  readonly caches: readonly KeyedCache[];
  readonly problem: string | null;
}

async function prepare({ blobs }: JobTools, { job, input }: JobToRun, folder: string): Promise<Prepared> {
  let caches: readonly KeyedCache[] = [];
  const problem = await problemOf(async () => {
    checkNeeds(input);
    caches = await restoreCaches(blobs, job.cache, input, folder);
    return null;
  });
  return { caches, problem };
}

/** Throws `InvalidInput` for more outputs than a variable can have: no program would start. */
function checkNeeds({ needs, job }: RunJobInput): void {
  const bytes = Buffer.byteLength(needsVariable(needs));
  if (bytes <= LARGEST_NEEDS) return;
  throw new LonghaulError(
    'InvalidInput',
    `The outputs of the jobs that ${job} needs have ${bytes} bytes in LONGHAUL_NEEDS, which may have ${LARGEST_NEEDS}: keep files as artifacts.`,
  );
}

/** The value of `LONGHAUL_NEEDS`. */
function needsVariable(needs: RunJobInput['needs']): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(needs).map(([id, { result, outputs }]) => [id, { result, outputs }])),
  );
}

/** The message of an error of the repository's own making. */
async function problemOf(work: () => Promise<string | null>): Promise<string | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LonghaulError && error.type === 'InvalidInput') return error.message;
    throw error;
  }
}

/** Runs the steps of a job next to its services. */
async function runAll(
  sandbox: Sandbox,
  todo: ShownJob,
  folder: string,
  log: JobLog,
  started: number,
  secrets: Readonly<Record<string, string>>,
): Promise<{ readonly steps: readonly StepResult[]; readonly unready: string | null }> {
  const { job, signal } = todo;
  const env = environmentOf(sandbox, todo, folder, secrets);
  if (Object.keys(job.services).length === 0) {
    return { steps: await runSteps(sandbox, todo, folder, log, started, env, job.network), unready: null };
  }
  let steps: readonly StepResult[] = [];
  const unready = await problemOf(async () => {
    const services = await startServices(job.services, { sandbox, folder, env, log, signal });
    try {
      steps = await runSteps(sandbox, todo, folder, log, started, env, services.network);
    } finally {
      await services.close();
    }
    return null;
  });
  signal.throwIfAborted();
  return { steps, unready };
}

function environmentOf(
  sandbox: Sandbox,
  { planned, job, env, input }: JobToRun,
  folder: string,
  secrets: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    ...env,
    ...job.env,
    ...secrets,
    ...variablesOf(planned, input),
    LONGHAUL_OUTPUT: join(sandbox.workFolder ?? folder, OUTPUT_FILE),
  };
}

async function runSteps(
  sandbox: Sandbox,
  { planned, job, signal, shown }: ShownJob,
  folder: string,
  log: JobLog,
  started: number,
  env: Readonly<Record<string, string>>,
  network: boolean | PrivateNetwork,
): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const step of job.steps) {
    const left = planned.timeoutSeconds - elapsed(started) / 1_000;
    await log.note(`== ${step.name} ==`);
    const began = performance.now();
    shown.push({ name: step.name, state: 'running', startedAt: new Date().toISOString(), durationMs: null });
    const end = await sandbox.run({
      argv: programOf(step),
      folder,
      env: { ...env, ...step.env },
      network,
      timeoutSeconds: Math.max(0.001, Math.min(left, step.timeout ?? Infinity)),
      signal,
      onOutput: (piece) => log.write(piece),
    });
    signal.throwIfAborted();
    const result: StepResult = {
      name: step.name,
      exitCode: end.exitCode,
      signal: end.signal,
      ended: end.ended === 'exit' || end.ended === 'signal' ? null : end.ended,
      durationMs: elapsed(began),
      commandDigest: sha256(step.command ?? JSON.stringify(step.run)),
    };
    results.push(result);
    shown.splice(-1, 1, stateOfStep(result));
    if (!isPassed(result)) {
      await log.note(`== ${step.name} ${describe(result)} ==`);
      break;
    }
  }
  return results;
}

function describe({ exitCode, signal, ended }: StepResult): string {
  if (ended !== null) return `was ended: ${ended}`;
  return exitCode === null ? `was ended by ${signal ?? 'a signal'}` : `failed with exit code ${exitCode}`;
}

/** Variables that Longhaul sets: docs/pipelines.md. */
function variablesOf(planned: PlannedJob, input: RunJobInput): Record<string, string> {
  const { packed, repository, pipeline, branch, event, attempt, needs } = input;
  return {
    CI: 'true',
    LONGHAUL: 'true',
    LONGHAUL_REPOSITORY: repository,
    LONGHAUL_COMMIT: packed.commit,
    LONGHAUL_PIPELINE: pipeline,
    LONGHAUL_JOB: planned.job,
    LONGHAUL_EVENT: event,
    LONGHAUL_ATTEMPT: String(attempt),
    ...(branch === null ? {} : { LONGHAUL_BRANCH: branch }),
    LONGHAUL_NEEDS: needsVariable(needs),
    ...Object.fromEntries(
      Object.entries(planned.matrix).map(([axis, value]) => [`MATRIX_${variable(axis)}`, String(value)]),
    ),
  };
}

/** A name as part of an environment variable's name. */
function variable(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');
}

function elapsed(since: number): number {
  return Math.round(performance.now() - since);
}
