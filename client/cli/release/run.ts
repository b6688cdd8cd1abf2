import { userName } from '../../core/user-name.ts';
import { proveChangeFlow, type ProveChangeResult } from '../../../domain/release/flows/evolution-flows.ts';
import type { EarlierAttempt, RunJobOutcome, RunPipelineResult } from '../../../domain/release/flows/pipeline-flows.ts';
import { FLAKY_RUNS, flakyLine, type FlakyTest } from '../../../domain/release/quality/flaky.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { CliContext } from '../../core/context.ts';
import { readersLogin } from '../../core/ledger.ts';
import { printable } from '../../core/sanitize.ts';
import { repositoryOfFolder } from '../../core/folder-repository.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { commitOfFolder } from './folder-commit.ts';

/** Options of `longhaul run`. */
export interface RunOptions extends FlowOptions {
  /** Id of the repository. @default that of the working folder */
  readonly repo?: string;
  /** A commit of the working folder. @default HEAD */
  readonly commit?: string;
  /** Tag of the evolution to prove. @default the one that the message of the commit names */
  readonly evolution?: string;
  /** Tags of earlier failures of the change that a pass supersedes. */
  readonly supersedes?: readonly string[];
  /** A job: what has passed before it at the same commit is kept. @default all jobs run */
  readonly from?: string;
  /** Shows the jobs and what they write while they run. */
  readonly watch?: boolean;
  /** Prints the steps as JSON, as gryt does, with the status that they really have. */
  readonly show?: boolean;
  /** File for the report of the run. */
  readonly report?: string;
  /** Id of a recorded run: it is shown, and nothing runs. */
  readonly of?: string;
  /** Lists the flaky tests of the pipeline, and runs nothing. */
  readonly flaky?: boolean;
}

/** Lines of the log of a failed job. */
const LOG_LINES = 20;

/**
 * `longhaul run`: runs a pipeline at a commit of the working folder, and proves the pending evolution that the commit is
 * for. Exit code 1 when a job failed or the change was not proven.
 */
export async function runCommand(context: CliContext, pipeline: string, options: RunOptions): Promise<number> {
  if (options.flaky === true) return listFlaky(context, pipeline, options);
  if (options.of !== undefined) {
    return showResult(
      context,
      { run: await recordedRun(context, pipeline, options.of), evolution: null, verdict: null },
      options,
    );
  }
  const repository = options.repo ?? (await repositoryOfFolder(context));
  const { commit, branch, packed, uncommitted } = await commitOfFolder(context, repository, options.commit ?? 'HEAD');
  if (uncommitted.length > 0 && options.commit === undefined && options.json !== true) {
    context.stderr.write(`Not committed, so not run:\n${uncommitted.map((line) => `  ${printable(line)}\n`).join('')}`);
  }
  const { evolution, supersedes, from } = options;
  const running = `pipeline/${repository}/${pipeline}/${commit}`;
  return runFlow(
    context,
    {
      flow: proveChangeFlow,
      input: {
        repository,
        pipeline,
        commit,
        by: userName(context.env),
        ...(branch === null ? {} : { branch }),
        ...(packed === null ? {} : { packed }),
        ...(evolution === undefined ? {} : { evolution }),
        ...(supersedes === undefined ? {} : { supersedes }),
        ...(from === undefined ? {} : { from }),
      },
      failsWithResult: ['PipelineFailed'],
      print: (result) => showResult(context, result, options),
      ...(options.watch
        ? {
            show: async (client, signal) => {
              const { watchJobs } = await import('./watch-jobs.ts');
              await watchJobs({ client, stderr: context.stderr }, running, signal);
            },
          }
        : {}),
    },
    options,
  );
}

/** The flaky tests of a pipeline in its latest runs, from the ledger. */
async function listFlaky(context: CliContext, pipeline: string, { repo, json }: RunOptions): Promise<number> {
  const repository = repo ?? (await repositoryOfFolder(context));
  const tests = await readFlaky(context, { repository, pipeline });
  const none = `${pipeline} has no flaky test in its last ${FLAKY_RUNS} runs.`;
  const lines = tests.length === 0 ? [none] : tests.map(flakyLine);
  context.stdout.write(
    json === true ? `${JSON.stringify(tests)}\n` : lines.map((line) => `${printable(line)}\n`).join(''),
  );
  return 0;
}

async function readFlaky(
  context: CliContext,
  of: { readonly repository: string; readonly pipeline: string },
): Promise<readonly FlakyTest[]> {
  const [{ withLedger }, { flakyTests }] = await Promise.all([
    import('../../../activities/ledger/open-ledger.ts'),
    import('../../../activities/release/pipelines/flaky-tests.ts'),
  ]);
  return withLedger(await readersLogin(context), (ledger) => flakyTests(ledger, of));
}

/** The same for a report, which can be written where there is no access to the ledger. */
async function flakyForReport(context: CliContext, run: RunPipelineResult): Promise<readonly FlakyTest[]> {
  try {
    return await readFlaky(context, run);
  } catch (error) {
    if (!(error instanceof LonghaulError)) throw error;
    context.stderr.write(`The report names no flaky tests: ${printable(error.message)}\n`);
    return [];
  }
}

async function showResult(
  context: CliContext,
  result: ProveChangeResult,
  { report, show, json, of }: RunOptions,
): Promise<number> {
  if (report !== undefined) await writeReport(context, result, report);
  if (of !== undefined && json === true) {
    context.stdout.write(`${JSON.stringify(result)}\n`);
    return 0;
  }
  return show ? showRun(context, result) : printRun(context, result);
}

/** The result of a recorded run, in whatever way it was started. Throws `InvalidInput` when the ledger has none. */
async function recordedRun(context: CliContext, pipeline: string, run: string): Promise<RunPipelineResult> {
  const [{ withLedger }, { openBlobs }, { readRunResult }] = await Promise.all([
    import('../../../activities/ledger/open-ledger.ts'),
    import('../../../activities/blobs/open-blobs.ts'),
    import('../../../activities/release/pipelines/run-result.ts'),
  ]);
  const blobs = await openBlobs(context, context.env);
  const result = await withLedger(await readersLogin(context), (ledger) => readRunResult({ ledger, blobs }, run));
  if (result?.pipeline === pipeline) return result;
  const problem = result === null ? `The ledger has no run ${run}` : `The run ${run} is one of ${result.pipeline}`;
  throw new LonghaulError('InvalidInput', `--of: ${problem}. The console lists the runs with their ids.`);
}

/** Writes the report of a run to a file, and into the blob store. */
async function writeReport(context: CliContext, { run }: ProveChangeResult, file: string): Promise<void> {
  const [{ runReport }, { openBlobs }, { Readable }, { writeFile }] = await Promise.all([
    import('../../console/release/run-report.ts'),
    import('../../../activities/blobs/open-blobs.ts'),
    import('node:stream'),
    import('node:fs/promises'),
  ]);
  const report = runReport(run, await flakyForReport(context, run));
  await writeFile(file, report);
  const blobs = await openBlobs(context, context.env);
  const { digest } = await blobs.put(Readable.from([Buffer.from(report)]));
  context.stderr.write(`The report is in ${printable(file)}, and in the blob store as ${digest}.\n`);
}

/** The form of gryt, in which a run with a failed step has another status than `ok`. */
function showRun({ stdout }: CliContext, { run: { status, jobs } }: ProveChangeResult): number {
  const results = jobs.map(({ id, attempts, steps }) => [
    id,
    Object.fromEntries(
      steps.map((step) => [
        step.name,
        {
          status: step.exitCode === 0 && step.ended === null ? 'ok' : 'error',
          ...(step.exitCode === 0 && step.ended === null ? {} : { error: endOfStep(step) }),
          returncode: step.exitCode,
          duration: step.durationMs / 1_000,
          attempts,
        },
      ]),
    ),
  ]);
  const shown = { status: status === 'passed' ? 'ok' : 'error', results: Object.fromEntries(results) as object };
  stdout.write(`${JSON.stringify(shown)}\n`);
  return 0;
}

/** Prints the result of a run, and of the evolution that it proves. */
export async function printRun(context: CliContext, { run, evolution, verdict }: ProveChangeResult): Promise<number> {
  const { stdout } = context;
  const { pipeline, commit, jobs, sandbox } = run;
  stdout.write(`${pipeline} at ${commit.slice(0, 12)}: ${run.status}\n`);
  for (const job of jobs) {
    stdout.write(`  ${printable(lineOf(job))}\n`);
    for (const [at, attempt] of job.earlier.entries())
      stdout.write(`    ${printable(lineOfAttempt(at + 1, attempt))}\n`);
  }
  for (const { rule, status, found, examples, waiver } of run.quality.rules) {
    const by = waiver === null ? '' : `, waived until ${waiver.until} by ${waiver.approved_by}: ${waiver.why}`;
    stdout.write(`  rule for ${rule}: ${status} (${printable(`${found}${by}`)})\n`);
    for (const example of examples) stdout.write(`    ${printable(example)}\n`);
  }
  for (const exception of run.quality.exceptions) stdout.write(`  ${printable(exception)}\n`);
  if (sandbox === 'none') stdout.write('  The programs were not isolated: pipelines.sandbox is none.\n');
  for (const job of jobs) if (job.end === 'failed') await printLog(context, job);
  if (evolution === null) return 0;
  const { tag, change, version } = evolution;
  if (verdict?.status === 'pass') stdout.write(`\n${tag} passed: ${change} of ${version} is proven.\n`);
  else
    stdout.write(
      `\n${tag} failed: ${change} of ${version} is not proven.\n${(verdict?.reasons ?? []).map((why) => `  ${printable(why)}\n`).join('')}`,
    );
  return 0;
}

function lineOf({ id, end, why, attempts, durationMs, steps, resumedFrom }: RunJobOutcome): string {
  const seconds = `${(durationMs / 1_000).toFixed(1)} s`;
  const last = steps.at(-1);
  const facts = [
    ...(end === 'skipped' ? [] : [seconds]),
    ...(resumedFrom === null ? [] : [`in the run ${resumedFrom}`]),
    ...(attempts > 1 ? [`${attempts} attempts`] : []),
    ...(why === null ? [] : [why]),
    ...(end === 'failed' && last !== undefined ? [`${last.name}: ${endOfStep(last)}`] : []),
  ];
  return `${id}: ${end}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`;
}

function lineOfAttempt(number: number, { why, durationMs, steps, log }: EarlierAttempt): string {
  const last = steps.at(-1);
  const how = why ?? (last === undefined ? 'no step ran' : `${last.name}: ${endOfStep(last)}`);
  return `attempt ${number}: failed (${(durationMs / 1_000).toFixed(1)} s, ${how}, log ${log.digest})`;
}

function endOfStep({ exitCode, signal, ended }: RunJobOutcome['steps'][number]): string {
  if (ended !== null) return ended;
  return exitCode === null ? `signal ${signal ?? 'unknown'}` : `exit code ${exitCode}`;
}

/** Prints the last lines of a job's output. */
async function printLog(context: CliContext, { id, log }: RunJobOutcome): Promise<void> {
  if (log === null) return;
  const [{ openBlobs }, { createInterface }] = await Promise.all([
    import('../../../activities/blobs/open-blobs.ts'),
    import('node:readline'),
  ]);
  const blobs = await openBlobs(context, context.env);
  const lines: string[] = [];
  for await (const line of createInterface({ input: await blobs.open(log.digest) })) {
    lines.push(line);
    if (lines.length > LOG_LINES) lines.shift();
  }
  context.stdout.write(`\nThe end of the log of ${printable(id)} (${log.digest}):\n`);
  for (const line of lines) context.stdout.write(`  | ${printable(line)}\n`);
}
