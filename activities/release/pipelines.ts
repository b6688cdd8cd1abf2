import { activityInfo } from '@temporalio/activity';
import { Readable } from 'node:stream';
import { parsePathFilter } from '../../domain/git/path-filter.ts';
import type { Pipeline } from '../../domain/release/contracts/pipeline.schema.ts';
import type { JobResult, PlannedRun, PlanPipelineInput, RunJobInput } from '../../domain/release/pipelines/job.ts';
import { planRun, type RunPlan } from '../../domain/release/pipelines/plan.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { sha256 } from '../../platform/sha256.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { heartbeating } from '../shared/heartbeating.ts';
import { checkContracts } from './contracts/contracts.ts';
import { type JobTools, runJob } from './pipelines/job-runner.ts';

/** Activities of the role `pipelines`: they run programs of repositories, and have no credentials. */
export interface PipelineActivities {
  /**
   * Plans a run from the pipeline as the commit has it. Throws `InvalidConfiguration` that lists everything that is wrong
   * with the contracts of the commit, or that there is no such pipeline.
   */
  planPipeline(input: PlanPipelineInput): Promise<PlannedRun>;
  /**
   * Runs one attempt of a job, in a clean checkout on this machine. A failed step is a result; repeating the activity
   * runs all steps again. Its heartbeats have the last lines of the output.
   */
  runJob(input: RunJobInput): Promise<JobResult>;
}

/** A plan as it is stored. */
interface StoredPlan {
  readonly plan: RunPlan;
  readonly pipeline: Pipeline;
}

/** Creates the activities. */
export function createPipelineActivities(tools: JobTools): PipelineActivities {
  const { blobs, sources } = tools;
  return {
    planPipeline: (input) =>
      heartbeating(async (signal) => {
        const { repository, packed, pipeline: name, event, branch } = input;
        const at = `${repository} at ${packed.commit.slice(0, 12)}`;
        const folder = await sources.contracts(packed, { about: repository, signal });
        if (folder === null) throw invalid(`There are no contracts in ${at}: no folder .longhaul or .gryt.`);
        const { contracts, problems } = checkContracts(folder);
        if (problems.length > 0) throw invalid(`The contracts of ${at} are wrong:\n${problems.join('\n')}`);
        const pipeline = contracts.pipelines[name];
        if (pipeline === undefined) {
          const known = Object.keys(contracts.pipelines).join(', ') || 'none';
          throw invalid(`There is no pipeline ${name} in ${at}; pipelines: ${known}.`);
        }
        const changed = (await readJson(blobs, packed.changed)) as readonly string[];
        const plan = planRun(pipeline, {
          event,
          branch,
          hasChanged: (patterns) => patterns.some((pattern) => changed.some((path) => parsePathFilter(pattern).matches(path))),
        });
        const stored: StoredPlan = { plan, pipeline };
        const { digest } = await blobs.put(Readable.from([Buffer.from(JSON.stringify(stored))]));
        return { ...plan, plan: digest };
      }),
    runJob: (input) =>
      heartbeating(async (signal, report) => {
        const { plan, pipeline } = (await readJson(blobs, input.plan)) as StoredPlan;
        const planned = plan.jobs.find(({ id }) => id === input.job);
        const job = planned && pipeline.jobs[planned.job];
        if (planned === undefined || job === undefined) {
          throw new LonghaulError('InvalidInput', `The plan ${input.plan} has no job ${input.job}.`);
        }
        const { workflowExecution, activityId } = activityInfo();
        const name = sha256(`${workflowExecution?.runId ?? ''} ${activityId}`).slice(0, 24);
        return runJob(tools, { input, planned, job, env: pipeline.env, name, signal, onTail: report });
      }),
  };
}

async function readJson(blobs: BlobStore, digest: string): Promise<unknown> {
  const content = (await (await blobs.open(digest)).toArray()) as Buffer[];
  return JSON.parse(Buffer.concat(content).toString('utf8')) as unknown;
}

function invalid(message: string): LonghaulError {
  return new LonghaulError('InvalidConfiguration', message);
}
