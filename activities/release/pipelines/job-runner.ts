import { mkdir, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PipelineJob, PipelineStep } from '../../../domain/release/contracts/pipeline.schema.ts';
import type { JobResult, JobTail, RunJobInput, StepResult } from '../../../domain/release/pipelines/job.ts';
import type { PlannedJob } from '../../../domain/release/pipelines/plan.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { sha256 } from '../../../platform/sha256.ts';
import { temporaryPath } from '../../../platform/temporary.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { CommitSources } from './commit-sources.ts';
import { archiveFiles, unpackFiles } from './file-archive.ts';
import { createJobLog, type JobLog } from './job-log.ts';
import { readOutputs } from './job-outputs.ts';
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

/** How often the tail is reported, in milliseconds, while there is output. */
const TAIL_EVERY_MS = 1_000;

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
  let reported = 0;
  const timer = setInterval(() => {
    const { written, tail } = log.tail();
    if (written !== reported) onTail({ job: input.job, attempt: input.attempt, written, tail });
    reported = written;
  }, TAIL_EVERY_MS);
  try {
    await sources.checkOut(input.packed, folder, { about: input.repository, signal });
    for (const { artifacts } of Object.values(input.needs)) {
      if (artifacts !== null) await unpackFiles(blobs, artifacts, folder);
    }
    await mkdir(join(folder, '.git', 'longhaul'));
    await writeFile(join(folder, OUTPUT_FILE), '');
    await sandbox.give(folder);
    const steps = await runSteps(sandbox, todo, folder, log, started, secrets);
    const arePassed = steps.length === job.steps.length && steps.every(isPassed);
    const { problem, ...kept } = await keep(tools, todo, folder, arePassed);
    if (problem !== null) await log.note(`== ${problem} ==`);
    return {
      status: arePassed && problem === null ? 'passed' : 'failed',
      steps,
      ...kept,
      problem,
      log: await log.commit(),
      startedAt,
      durationMs: elapsed(started),
      sandbox: sandbox.isolation.kind,
    };
  } catch (error) {
    await log.discard();
    throw error;
  } finally {
    clearInterval(timer);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What a job leaves behind, when its programs have ended. */
type Kept = Pick<JobResult, 'outputs' | 'artifacts' | 'problem'>;

/** Keeps outputs and artifacts. What is wrong with them makes the job fail, and is no error of this worker. */
async function keep(
  { blobs, artifactBytes }: JobTools,
  { job, signal }: JobToRun,
  folder: string,
  arePassed: boolean,
): Promise<Kept> {
  const nothing = { outputs: {}, artifacts: null, problem: null };
  try {
    const outputs = await readOutputs(join(folder, OUTPUT_FILE), job.outputs);
    const patterns = job.artifacts;
    if (patterns === undefined) return { ...nothing, outputs };
    const options = { folder, patterns, about: 'artifacts', mostBytes: artifactBytes, signal };
    const artifacts = await archiveFiles(blobs, options);
    const isMissing = arePassed && artifacts === null;
    return { outputs, artifacts, problem: isMissing ? `artifacts: no file matches ${patterns.join(', ')}` : null };
  } catch (error) {
    if (error instanceof LonghaulError && error.type === 'InvalidInput') return { ...nothing, problem: error.message };
    throw error;
  }
}

async function runSteps(
  sandbox: Sandbox,
  { planned, job, env, input, signal }: JobToRun,
  folder: string,
  log: JobLog,
  started: number,
  secrets: Readonly<Record<string, string>>,
): Promise<StepResult[]> {
  const results: StepResult[] = [];
  const seenAs = sandbox.workFolder ?? folder;
  const common = {
    ...env,
    ...job.env,
    ...secrets,
    ...variablesOf(planned, input),
    LONGHAUL_OUTPUT: join(seenAs, OUTPUT_FILE),
  };
  for (const step of job.steps) {
    const left = planned.timeoutSeconds - elapsed(started) / 1_000;
    await log.note(`== ${step.name} ==`);
    const began = performance.now();
    const end = await sandbox.run({
      argv: argvOf(step),
      folder,
      env: { ...common, ...step.env },
      network: job.network,
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
    if (!isPassed(result)) {
      await log.note(`== ${step.name} ${describe(result)} ==`);
      break;
    }
  }
  return results;
}

/** A step passes when its program ended by itself with exit code 0. What it printed does not matter. */
function isPassed({ exitCode, ended }: StepResult): boolean {
  return exitCode === 0 && ended === null;
}

function describe({ exitCode, signal, ended }: StepResult): string {
  if (ended !== null) return `was ended: ${ended}`;
  return exitCode === null ? `was ended by ${signal ?? 'a signal'}` : `failed with exit code ${exitCode}`;
}

/** The text of a step is the repository's own: nothing is written into it. */
function argvOf({ command, run }: PipelineStep): readonly [string, ...string[]] {
  const [program = 'false', ...args] = run ?? ['bash', '-euo', 'pipefail', '-c', command ?? 'false'];
  return [program, ...args];
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
    LONGHAUL_NEEDS: JSON.stringify(
      Object.fromEntries(Object.entries(needs).map(([id, { result, outputs }]) => [id, { result, outputs }])),
    ),
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
