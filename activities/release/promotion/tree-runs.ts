import { checkPolicies, requiredSteps } from '../../../domain/release/evolutions/policy-check.ts';
import { describeStep, isProven, provenSteps } from '../../../domain/release/evolutions/proof.ts';
import type { StepResult } from '../../../domain/release/pipelines/job.ts';
import type { TreeRun } from '../../../domain/release/promotion/gates.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import type { StoredContracts } from '../contracts/stored-contracts.ts';
import { readPlan } from '../pipelines/stored-plan.ts';
import type { GenerationFacts } from './generation-facts.ts';

/** The tree that is released, and its contracts. */
interface ReleasedTree {
  readonly repository: string;
  readonly version: string;
  /** Oid of the tree. */
  readonly tree: string;
  readonly contracts: StoredContracts;
}

/** How the pipelines that proved a generation's changes have last run on the tree that is released. */
export async function treeRuns(
  tools: LedgerTools,
  facts: Pick<GenerationFacts, 'proven'>,
  released: ReleasedTree,
): Promise<readonly TreeRun[]> {
  const names = [...new Set(facts.proven.map(({ pipeline }) => pipeline))].filter(Boolean);
  return Promise.all(names.map((name) => treeRun(tools, facts, released, name)));
}

async function treeRun(
  { ledger, blobs }: LedgerTools,
  { proven }: Pick<GenerationFacts, 'proven'>,
  { repository, version, tree, contracts }: ReleasedTree,
  name: string,
): Promise<TreeRun> {
  const declared = contracts.pipelines[name];
  if (declared === undefined) {
    return { pipeline: name, exists: false, run: null, reasons: ['the commit does not have this pipeline.'] };
  }
  const changes = proven
    .filter((each) => each.pipeline === name)
    .flatMap(({ change: id }) => contracts.generations[version]?.changes.find((each) => each.id === id) ?? []);
  // the policies of the released commit: those of the proof may have been others
  const violations = changes.flatMap((change) =>
    checkPolicies(contracts.policy, { version, change, pipeline: declared }).flatMap((each) =>
      each.violations.map((violation) => `${change.id} violates the policy ${each.policy}: ${violation}.`),
    ),
  );
  if (violations.length > 0) return { pipeline: name, exists: true, run: null, reasons: violations };
  const last = await ledger
    .selectFrom('pipeline_runs')
    .select(['pipeline_run_id', 'pipeline_digest', 'status'])
    .where('repository', '=', repository)
    .where('pipeline', '=', name)
    .where('tree', '=', tree)
    .where('status', 'in', ['pass', 'fail'])
    .orderBy('completed_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (last === undefined) return { pipeline: name, exists: true, run: null, reasons: [] };
  const { pipeline_run_id: run } = last;
  const jobs = await ledger
    .selectFrom('pipeline_jobs')
    .select(['job', 'status', 'steps'])
    .where('pipeline_run_id', '=', run)
    .execute();
  const { plan, pipeline } = await readPlan(blobs, last.pipeline_digest);
  if (last.status === 'fail') {
    const failed = jobs
      .filter(({ status, job }) => status === 'fail' && !isAllowed(pipeline, plan, job))
      .map(({ job, steps }) => `${job} failed${failedStep(stepsOf(steps))}.`);
    return { pipeline: name, exists: true, run: null, reasons: failed.length === 0 ? ['it failed.'] : failed };
  }
  const outcomes = jobs.map(({ job: id, steps }) => ({
    id,
    job: plan.jobs.find((each) => each.id === id)?.job ?? '',
    steps: stepsOf(steps),
  }));
  const required = new Set(changes.flatMap((change) => requiredSteps(contracts.policy, { change })));
  const missing = provenSteps([...required], pipeline, outcomes).filter((step) => !isProven(step));
  if (missing.length > 0) return { pipeline: name, exists: true, run: null, reasons: missing.map(describeStep) };
  return { pipeline: name, exists: true, run, reasons: [] };
}

type Stored = Awaited<ReturnType<typeof readPlan>>;

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
