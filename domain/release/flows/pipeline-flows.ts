import { repositoryName } from '../../git/repository.ts';
import { defineFlow } from '../../shared/flow.ts';
import type { JobResult, JudgedQuality, PackedCommit, StepState } from '../pipelines/job.ts';
import type { RunEvent } from '../pipelines/plan.ts';
import { type RequestFields, requestId } from '../../shared/request.ts';
import {
  isOfOneCommit,
  jobName,
  NOT_OF_ONE_COMMIT,
  packedCommit,
  pipelineBusy,
  runFields,
  runKey,
  runSummary,
} from './inputs.ts';
import type { JobEnd } from '../pipelines/schedule.ts';

/** Input of `runPipeline`. */
export interface RunPipelineInput extends RequestFields {
  readonly repository: string;
  /** Name of the pipeline: `full-ci`. */
  readonly pipeline: string;
  /** The full oid of a commit. @default the head of `branch` */
  readonly commit?: string;
  /** @default the default branch, for a run without `commit` */
  readonly branch?: string;
  /** What starts the run; conditions of jobs ask for it. @default 'manual' */
  readonly event?: RunEvent;
  /** The commit in the blob store, for one that the remote does not have. */
  readonly packed?: PackedCommit;
  /** Jobs that run in parallel. @default 16 */
  readonly parallel?: number;
  /** Id or name of a job: keeps what has passed in the latest run at the commit and does not need this job. */
  readonly from?: string;
}

/** An attempt of a job that failed, after which the job was tried again. */
export interface EarlierAttempt extends Pick<JobResult, 'steps' | 'reports' | 'log' | 'startedAt' | 'durationMs'> {
  /** Why it failed although its steps passed; null otherwise. */
  readonly why: string | null;
}

/** How a job of a run ended: fields without another word are those of its last attempt. */
export interface RunJobOutcome extends Pick<JobResult, 'steps' | 'outputs' | 'artifacts' | 'reports' | 'durationMs'> {
  readonly id: string;
  readonly end: JobEnd;
  /** Why it was skipped, could not be run, or failed although its steps passed; null otherwise. */
  readonly why: string | null;
  readonly attempts: number;
  /** The attempts before the last, the first one first. */
  readonly earlier: readonly EarlierAttempt[];
  /** When the last attempt started, ISO 8601; null when none ran. */
  readonly startedAt: string | null;
  /** The earlier run at the same commit in which it ran; null when it is this one. */
  readonly resumedFrom: string | null;
  /** Digest and size in bytes of the output of the last attempt; null when none ran. */
  readonly log: JobResult['log'] | null;
}

/** Result of `runPipeline`. */
export interface RunPipelineResult {
  /** The run of the flow, which is the key of its record in the ledger. */
  readonly run: string;
  readonly status: 'passed' | 'failed' | 'cancelled';
  readonly repository: string;
  readonly pipeline: string;
  readonly commit: string;
  readonly tree: string;
  /** Digest of the plan: pipeline and programs as they were at the commit. */
  readonly plan: string;
  /** What isolated the programs: `bubblewrap`, or `none`; null when no job ran. */
  readonly sandbox: string | null;
  readonly jobs: readonly RunJobOutcome[];
  /** How the rules for reports ended, and the exceptions from them. */
  readonly quality: JudgedQuality;
}

/** Where a job of a run stands: the answer of the query `jobs` has one for each. */
export interface JobState {
  readonly id: string;
  readonly state: JobEnd | 'running' | 'waiting';
  /** Null for a job that has not ended. */
  readonly durationMs: number | null;
  /** The steps of a job that has ended; those of a running one are in its heartbeat. */
  readonly steps: readonly StepState[];
}

/** Runs a pipeline at a commit. */
export const runPipelineFlow = defineFlow<RunPipelineInput, RunPipelineResult>()({
  type: 'runPipeline',
  act: { event: 'pipeline', resource: 'pipeline', action: 'run', named: ['pipeline'] },
  input: (z) =>
    z
      .strictObject({
        ...runFields(z),
        event: z.enum(['manual', 'evolution', 'push', 'promotion']).default('manual'),
        packed: packedCommit(z).optional(),
        parallel: z.int().min(1).max(64).default(16),
        from: jobName(z).optional(),
        requestId: requestId(z),
      })
      .refine(isOfOneCommit, NOT_OF_ONE_COMMIT),
  does: 'runs the jobs of [a pipeline](pipelines.md) at a commit, each in a clean checkout, in the sandbox of a worker with the role `pipelines`',
  examples: [
    { repository: 'work/acme/api', pipeline: 'full-ci' },
    { repository: 'work/acme/api', pipeline: 'full-ci', branch: 'release/9', event: 'push' },
  ],
  startedBy: ['people', 'services', 'flows'],
  id: (input) => `pipeline/${runKey(input)}`,
  question: ({ parallel: _parallel, packed: _packed, by: _by, requestId: _requestId, ...rest }) => rest,
  busy: pipelineBusy,
  summary: runSummary,
  searchAttributes: ({ repository }) => ({ LonghaulRepository: repositoryName(repository) }),
  // a commit is packed by the person who has it
  serviceInput: (z) =>
    z.strictObject({
      ...runFields(z),
      event: z.enum(['manual', 'push']).default('manual'),
      parallel: z.int().min(1).max(64).default(16),
    }),
  person: 'by',
  isRequested: true,
  queries: ['jobs'],
  signals: { held: (z) => z.string() },
});
