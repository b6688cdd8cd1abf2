import {
  ApplicationFailure,
  CancellationScope,
  defineQuery,
  isCancellation,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type EarlierAttempt,
  type JobState,
  runPipelineFlow,
  type RunJobOutcome,
  type RunPipelineInput,
  type RunPipelineResult,
} from '../../domain/release/flows/pipeline-flows.ts';
import type { EarlierRun } from '../../domain/release/pipelines/resume.ts';
import {
  type Baseline,
  type JobResult,
  type JudgedQuality,
  type NeededJob,
  type PackedCommit,
  type PlannedRun,
  stateOfStep,
} from '../../domain/release/pipelines/job.ts';
import { describeRun } from '../../domain/release/pipelines/describe.ts';
import type { PlannedJob } from '../../domain/release/pipelines/plan.ts';
import { type Ends, endOfRun, nextJobs } from '../../domain/release/pipelines/schedule.ts';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { failureOf } from '../shared/failure.ts';
import { answerProgress } from '../shared/progress.ts';
import { asAct } from '../shared/act.ts';
import { type HeldDeployments, heldDeployments } from './held-deployment.ts';
import { commitActivities, jobActivities, ledgerActivities, pipelineActivities } from './activities.ts';

const jobsQuery = defineQuery<JobState[]>('jobs');

type Given = CheckedOf<typeof runPipelineFlow>;

/**
 * Runs a pipeline (docs/pipelines.md): packs the commit, plans its jobs from the pipeline as the commit has it, and runs
 * them as soon as the jobs that they need have ended. Fails with `PipelineFailed`, which carries the result, when a job
 * failed that must not.
 */
export function runPipeline(input: RunPipelineInput): Promise<RunPipelineResult> {
  const shown: Shown = { jobs: () => [] };
  setHandler(jobsQuery, () => shown.jobs());
  const held = heldDeployments();
  return asAct(runPipelineFlow, input, (given) => run(given, shown, held));
}

/** What the query `jobs` answers; empty before the run is planned. */
interface Shown {
  jobs: () => JobState[];
}

async function run(given: Given, shown: Shown, held: HeldDeployments): Promise<RunPipelineResult> {
  const { repository, pipeline, commit, branch, event, by } = given;
  const packed =
    given.packed ??
    (await commitActivities.packCommit.executeWithOptions(
      { summary: `pack ${commit?.slice(0, 12) ?? branch ?? 'HEAD'}` },
      [{ repository, ...(commit === undefined ? {} : { commit }), ...(branch === undefined ? {} : { branch }) }],
    ));
  const plan = await pipelineActivities.planPipeline.executeWithOptions({ summary: `read ${pipeline} at the commit` }, [
    {
      repository,
      packed,
      pipeline,
      event,
      branch: branch ?? null,
    },
  ]);
  const earlier =
    given.from === undefined
      ? null
      : await ledgerActivities.findEarlierRun.executeWithOptions(
          { summary: `find the run before, from ${given.from}` },
          [
            {
              repository,
              pipeline,
              commit: packed.commit,
              plan: plan.plan,
              from: given.from,
              jobs: plan.jobs.map(({ id, job, needs, deploy }) => ({ id, job, needs, deploy })),
            },
          ],
        );
  const isProtected = plan.hasCaches && (await hasProtectedCommit(given, packed));
  const jobs = await runJobs(given, { packed, held }, { ...plan, isProtected }, earlier, shown);
  const own = CancellationScope.current();
  const ends = Object.fromEntries(jobs.map(({ outcome: { id, end } }) => [id, end]));
  const { runId, startTime } = workflowInfo();
  const quality: JudgedQuality =
    plan.hasRules && !own.consideredCancelled
      ? await ledgerActivities.judgeQuality.executeWithOptions({ summary: 'judge the reports' }, [
          {
            repository,
            pipeline,
            plan: plan.plan,
            baseline: await baselineOf(given, packed, plan),
            reports: jobs.flatMap(({ outcome: { reports } }) => reports?.digest ?? []),
            day: startTime.toISOString().slice(0, 10),
          },
        ])
      : { rules: [], exceptions: [], waived: null };
  const broken = quality.rules.filter(({ status }) => status === 'failed');
  const isGood = !own.consideredCancelled && broken.length === 0 && endOfRun(plan, ends) === 'passed';
  const lost = await held.settle(isGood);
  for (const { job } of lost) ends[job] = 'failed';
  const result: RunPipelineResult = {
    run: runId,
    status: own.consideredCancelled ? 'cancelled' : broken.length > 0 ? 'failed' : endOfRun(plan, ends),
    repository,
    pipeline,
    commit: packed.commit,
    tree: packed.tree,
    plan: plan.plan,
    sandbox: jobs.find(({ sandbox }) => sandbox !== null)?.sandbox ?? null,
    jobs: jobs.map(({ outcome }) => {
      const problem = lost.find(({ job }) => job === outcome.id);
      return problem === undefined ? outcome : { ...outcome, end: 'failed', why: failureOf(problem.error).error };
    }),
    quality,
  };
  // a later run may start from what has passed
  await CancellationScope.nonCancellable(() =>
    ledgerActivities.recordRun.executeWithOptions({ summary: 'record the run' }, [
      { result, branch: branch ?? null, event, startedAt: startTime.toISOString(), by },
    ]),
  );
  if (result.status === 'passed') return result;
  // a cancellation of the run itself ends it as cancelled, now that no job runs any more
  if (result.status === 'cancelled') await own.cancelRequested;
  const failed = [
    ...result.jobs.filter(({ end }) => end === 'failed').map(({ id }) => id),
    ...broken.map(({ rule }) => `the rule for ${rule}`),
  ];
  throw ApplicationFailure.create({
    type: 'PipelineFailed',
    message: `${pipeline} failed at ${packed.commit.slice(0, 12)}: ${failed.join(', ')}`.slice(0, 1_000),
    nonRetryable: true,
    details: [result],
  });
}

/**
 * Whether the run may use and save the caches of protected branches: the remote has its commit on one of them, and no job
 * is kept of an earlier run, which may have used other caches.
 */
async function hasProtectedCommit({ repository, branch, from }: Given, { commit }: PackedCommit): Promise<boolean> {
  if (from !== undefined) return false;
  const { protectedBy } = await commitActivities.placeCommit.executeWithOptions(
    { summary: 'is it on a protected branch' },
    [{ repository, commit, branch: branch ?? null }],
  );
  return protectedBy !== null;
}

/** What the findings of the run are compared with; null without a rule for them. */
async function baselineOf(
  { repository, pipeline }: Given,
  { commit }: PackedCommit,
  { comparedWith }: PlannedRun,
): Promise<Baseline | null> {
  if (comparedWith === null) return null;
  const commits = await ledgerActivities.findBaselines.executeWithOptions({ summary: 'where findings are known' }, [
    { repository, pipeline },
  ]);
  return commitActivities.chooseBaseline.executeWithOptions({ summary: 'which of them the branch has' }, [
    { repository, commit, commits, ...comparedWith },
  ]);
}

/** What the jobs of a run work with. */
interface RunWork {
  readonly packed: PackedCommit;
  readonly held: HeldDeployments;
}

/** A plan, and whether its jobs use the caches of protected branches. */
interface RunningPlan extends PlannedRun {
  readonly isProtected: boolean;
}

/** A job that has ended. */
interface EndedJob {
  readonly outcome: RunJobOutcome;
  readonly sandbox: string | null;
}

/** Runs the jobs of a plan. Returns their ends in the order of the plan. */
async function runJobs(
  given: Given,
  work: RunWork,
  plan: RunningPlan,
  earlier: EarlierRun | null,
  shown: Shown,
): Promise<readonly EndedJob[]> {
  const ended = new Map<string, EndedJob>(
    earlier?.kept.map((outcome) => [outcome.id, { outcome, sandbox: earlier.sandbox }]),
  );
  const started = new Set(ended.keys());
  const running = new Map<
    string,
    { readonly job: PlannedJob; readonly done: Promise<void>; readonly scope: CancellationScope }
  >();
  const ends = (): Ends => Object.fromEntries([...ended].map(([id, { outcome }]) => [id, outcome.end]));
  const show = (): void => setCurrentDetails(describeRun(plan, ends(), [...running.keys()]));
  answerProgress(() => ({
    stage: running.size === 0 ? 'between jobs' : `running ${[...running.keys()].join(', ')}`.slice(0, 200),
    done: ended.size,
    total: plan.jobs.length,
    unit: 'jobs',
    lines: [...ended.values()]
      .filter(({ outcome }) => outcome.end === 'failed')
      .map(({ outcome }) => `${outcome.id} failed`),
    asks: null,
  }));

  shown.jobs = () =>
    plan.jobs.map(({ id }) => {
      const { end, durationMs = null, steps = [] } = ended.get(id)?.outcome ?? {};
      const state = end ?? (running.has(id) ? 'running' : 'waiting');
      return { id, state, durationMs, steps: steps.map(stateOfStep) };
    });

  const start = (job: PlannedJob): void => {
    const scope = new CancellationScope();
    const needs = Object.fromEntries(job.needs.map((id) => [id, neededJob(ended.get(id))]));
    const runIt = async (): Promise<void> => {
      const end = await scope.run(() =>
        job.deploy === null
          ? runAttempts(given, work.packed, plan, job, needs)
          : runDeployment(given, work, { job: job.id, environment: job.deploy, outputs: outputsOf(plan, ended) }),
      );
      ended.set(job.id, end);
      running.delete(job.id);
    };
    running.set(job.id, { job, done: runIt(), scope });
  };

  for (;;) {
    const next = nextJobs(plan, started, ends());
    for (const { id, why } of next.skip) {
      started.add(id);
      ended.set(id, withoutResult(id, 'skipped', why));
    }
    // the others are looked at again when one has ended: too many failures may keep them from starting
    for (const job of next.start.slice(0, Math.max(0, given.parallel - running.size))) {
      started.add(job.id);
      start(job);
    }
    if (plan.failFast && endOfRun(plan, ends()) === 'failed') {
      // jobs that run after failures go on
      for (const { job, scope } of running.values()) if (job.result === 'success') scope.cancel();
    }
    show();
    if (running.size > 0) await Promise.race([...running.values()].map(({ done }) => done));
    else if (next.skip.length === 0) break;
  }
  return plan.jobs.flatMap(({ id }) => ended.get(id) ?? []);
}

/** The outputs of the jobs that have passed, by declared job. */
function outputsOf(
  { jobs }: RunningPlan,
  ended: ReadonlyMap<string, EndedJob>,
): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const passed = jobs.flatMap(({ id, job }) => {
    const outcome = ended.get(id)?.outcome;
    return outcome?.end === 'passed' ? [[job, outcome.outputs] as const] : [];
  });
  return Object.fromEntries(passed);
}

/** Deploys the commit for a job. It passes when the environment was watched, and is held until the run ends. */
async function runDeployment(
  { repository, by, requestId }: Given,
  { held, packed }: RunWork,
  asked: Parameters<HeldDeployments['deploy']>[1],
): Promise<EndedJob> {
  const startedAt = new Date(Date.now()).toISOString();
  const ended = (end: 'passed' | 'failed' | 'cancelled', why: string, deployment?: string): EndedJob => {
    const { outcome, sandbox } = withoutResult(asked.job, 'failed', why, [], 1);
    const durationMs = Date.now() - Date.parse(startedAt);
    const made: Readonly<Record<string, string>> = deployment === undefined ? {} : { DEPLOYMENT: deployment };
    const reason = end === 'passed' ? null : why;
    return { outcome: { ...outcome, end, why: reason, startedAt, durationMs, outputs: made }, sandbox };
  };
  try {
    return ended('passed', '', await held.deploy({ repository, by, requestId, packed }, asked));
  } catch (error) {
    return isCancellation(error) ? ended('cancelled', 'another job failed') : ended('failed', failureOf(error).error);
  }
}

/** Runs a job until an attempt passes, or none is left. A job that cannot be run has failed. */
async function runAttempts(
  { repository, pipeline, event, branch }: Given,
  packed: PackedCommit,
  { plan, isProtected }: RunningPlan,
  job: PlannedJob,
  needs: Readonly<Record<string, NeededJob>>,
): Promise<EndedJob> {
  const { runJob } = jobActivities(job.timeoutSeconds);
  const earlier: EarlierAttempt[] = [];
  for (let attempt = 1; ; attempt++) {
    let result: JobResult;
    try {
      result = await runJob.executeWithOptions({ summary: attempt === 1 ? job.id : `${job.id}, attempt ${attempt}` }, [
        { repository, packed, plan, pipeline, job: job.id, attempt, branch: branch ?? null, event, needs, isProtected },
      ]);
    } catch (error) {
      if (isCancellation(error)) return withoutResult(job.id, 'cancelled', 'another job failed', earlier, attempt);
      return withoutResult(job.id, 'failed', failureOf(error).error, earlier, attempt);
    }
    const { status, sandbox, problem: why, ...rest } = result;
    if (status === 'passed' || attempt > job.retries) {
      return {
        outcome: { id: job.id, end: status, why, attempts: attempt, earlier, resumedFrom: null, ...rest },
        sandbox,
      };
    }
    const { steps, reports, log, startedAt, durationMs } = rest;
    earlier.push({ steps, reports, log, startedAt, durationMs, why });
  }
}

function neededJob(ended: EndedJob | undefined): NeededJob {
  const { end, outputs, artifacts } = ended?.outcome ?? {};
  return { result: end ?? 'skipped', outputs: outputs ?? {}, artifacts: artifacts?.digest ?? null };
}

function withoutResult(
  id: string,
  end: 'skipped' | 'failed' | 'cancelled',
  why: string,
  earlier: readonly EarlierAttempt[] = [],
  attempts = 0,
): EndedJob {
  const nothing = {
    steps: [],
    outputs: {},
    artifacts: null,
    reports: null,
    log: null,
    startedAt: null,
    resumedFrom: null,
    durationMs: 0,
  };
  return { outcome: { id, end, why, attempts, earlier, ...nothing }, sandbox: null };
}
