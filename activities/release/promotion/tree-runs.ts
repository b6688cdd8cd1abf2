import { checkPolicies, requiredSteps } from '../../../domain/release/evolutions/policy-check.ts';
import { describeNothing, describeStep, isProven, provenSteps } from '../../../domain/release/evolutions/proof.ts';
import type { StepResult } from '../../../domain/release/pipelines/job.ts';
import type { TreeRun } from '../../../domain/release/promotion/gates.ts';
import { missingJobs, type ProvingJob } from '../../../domain/release/promotion/tree-jobs.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import type { StoredContracts } from '../contracts/stored-contracts.ts';
import { readPlan } from '../pipelines/stored-plan.ts';
import type { GenerationFacts, ProvenRun } from './generation-facts.ts';

/** Runs on a tree that are looked at, the latest first. */
const MOST_RUNS = 20;

/** The tree that is released, and its contracts. */
interface ReleasedTree {
  readonly repository: string;
  readonly version: string;
  /** Oid of the tree. */
  readonly tree: string;
  readonly contracts: StoredContracts;
}

/**
 * How the pipelines that proved a generation's changes have run on the tree that is released. A run counts that passed
 * after the last failure, has the required steps, and ran the jobs that proved the changes.
 */
export async function treeRuns(
  tools: LedgerTools,
  facts: Pick<GenerationFacts, 'proven'>,
  released: ReleasedTree,
): Promise<readonly TreeRun[]> {
  const names = [...new Set(facts.proven.map(({ pipeline }) => pipeline))].filter(Boolean);
  return Promise.all(names.map((name) => treeRun(tools, facts, released, name)));
}

async function treeRun(
  tools: LedgerTools,
  { proven }: Pick<GenerationFacts, 'proven'>,
  { repository, version, tree, contracts }: ReleasedTree,
  name: string,
): Promise<TreeRun> {
  const { ledger } = tools;
  const declared = contracts.pipelines[name];
  if (declared === undefined) {
    return { pipeline: name, exists: false, run: null, reasons: ['the commit does not have this pipeline.'] };
  }
  const ofPipeline = proven.filter((each) => each.pipeline === name);
  const changes = ofPipeline.flatMap(
    ({ change: id }) => contracts.generations[version]?.changes.find((each) => each.id === id) ?? [],
  );
  // the policies of the released commit: those of the proof may have been others
  const violations = changes.flatMap((change) =>
    checkPolicies(contracts.policy, { version, change, pipeline: declared }).flatMap((each) =>
      each.violations.map((violation) => `${change.id} violates the policy ${each.policy}: ${violation}.`),
    ),
  );
  if (violations.length > 0) return { pipeline: name, exists: true, run: null, reasons: violations };
  const latest = await ledger
    .selectFrom('pipeline_runs')
    .select(['pipeline_run_id as run', 'pipeline_digest as plan', 'status'])
    .where('repository', '=', repository)
    .where('pipeline', '=', name)
    .where('tree', '=', tree)
    .where('status', 'in', ['pass', 'fail'])
    .orderBy('completed_at', 'desc')
    .limit(MOST_RUNS)
    .execute();
  const [last] = latest;
  if (last === undefined) return { pipeline: name, exists: true, run: null, reasons: [] };
  if (last.status === 'fail') {
    const { jobs, plan, pipeline } = await readRun(tools, last);
    const failed = jobs
      .filter(({ status, job }) => status === 'fail' && !isAllowed(pipeline, plan, job))
      .map(({ job, steps }) => `${job} failed${failedStep(stepsOf(steps))}.`);
    return { pipeline: name, exists: true, run: null, reasons: failed.length === 0 ? ['it failed.'] : failed };
  }
  const required = new Set(changes.flatMap((change) => requiredSteps(contracts.policy, { change })));
  const proving = await provingJobs(tools, ofPipeline);
  const failure = latest.findIndex(({ status }) => status === 'fail');
  let reasons: readonly string[] | null = null;
  for (const one of latest.slice(0, failure === -1 ? latest.length : failure)) {
    const missing = reasonsOf(await readRun(tools, one), { required: [...required], proving });
    if (missing.length === 0) return { pipeline: name, exists: true, run: one.run, reasons: [] };
    // of the latest one
    reasons ??= missing;
  }
  return { pipeline: name, exists: true, run: null, reasons: reasons ?? [] };
}

type Stored = Awaited<ReturnType<typeof readPlan>>;

/** A recorded run with its jobs and its plan. */
async function readRun({ ledger, blobs }: LedgerTools, { run, plan }: { readonly run: string; readonly plan: string }) {
  // of a job with several attempts the last counts
  const jobs = await ledger
    .selectFrom('pipeline_jobs')
    .distinctOn('job')
    .select(['job', 'status', 'steps'])
    .where('pipeline_run_id', '=', run)
    .orderBy('job')
    .orderBy('attempt', 'desc')
    .execute();
  return { jobs, ...(await readPlan(blobs, plan)) };
}

/** Why a run that passed proves nothing on the tree; empty when it proves what is asked. */
function reasonsOf(
  { jobs, plan, pipeline }: Awaited<ReturnType<typeof readRun>>,
  { required, proving }: { readonly required: readonly string[]; readonly proving: readonly ProvingJob[] },
): readonly string[] {
  const passed = new Set(jobs.filter(({ status }) => status === 'pass').map(({ job }) => job));
  if (passed.size === 0) return [describeNothing(pipeline.name)];
  const outcomes = jobs.map(({ job: id, steps }) => ({
    id,
    job: plan.jobs.find((each) => each.id === id)?.job ?? '',
    steps: stepsOf(steps),
  }));
  const missing = provenSteps(required, pipeline, outcomes).filter((step) => !isProven(step));
  return [...missing.map(describeStep), ...missingJobs(plan, passed, proving)];
}

/** The jobs that passed in the runs that proved changes. */
async function provingJobs({ ledger }: LedgerTools, proven: readonly ProvenRun[]): Promise<readonly ProvingJob[]> {
  const runs = proven.flatMap(({ run }) => run ?? []);
  if (runs.length === 0) return [];
  const jobs = await ledger
    .selectFrom('pipeline_jobs')
    .select(['pipeline_run_id as run', 'job'])
    .where('pipeline_run_id', 'in', runs)
    .where('status', '=', 'pass')
    .execute();
  const changes = new Map(proven.map(({ run, change }) => [run, change]));
  return jobs.map(({ run, job }) => ({ job, change: changes.get(run) ?? '' }));
}

function isAllowed(pipeline: Stored['pipeline'], plan: Stored['plan'], id: string): boolean {
  const job = plan.jobs.find((each) => each.id === id)?.job ?? '';
  return pipeline.jobs[job]?.allow_failure === true;
}

/** The column's values are written by `recordRun`. */
function stepsOf(column: readonly object[]): readonly StepResult[] {
  return column as readonly StepResult[];
}

function failedStep(steps: readonly StepResult[]): string {
  const last = steps.at(-1);
  if (last === undefined) return '';
  const how =
    last.exitCode === null ? (last.ended ?? `signal ${last.signal ?? 'unknown'}`) : `exit code ${last.exitCode}`;
  return ` at the step ${last.name} (${how})`;
}
