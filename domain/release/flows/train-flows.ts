import { isRepositoryId, NOT_A_REPOSITORY_ID, repositoryName } from '../../git/repository.ts';
import { defineFlow, type Zod } from '../../shared/flow.ts';
import type { TrainReport } from '../train/train.ts';
import { releaseAttributes } from './attributes.ts';
import { personName, type RequestFields, requestId } from '../../shared/request.ts';

function repositoryId(z: Zod) {
  return z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID);
}

/** Input of `runTrain`. */
export interface RunTrainInput {
  readonly repository: string;
  /** Says what is on the train and what it waits for, and does nothing else. @default false */
  readonly dryRun?: boolean;
  /** The train is that of the first departure after this time, ISO 8601. @default when the schedule starts it, or now */
  readonly after?: string;
  /** @default 'unknown' */
  readonly by?: string;
}

/** Result of `runTrain`. */
export interface RunTrainResult {
  /** Only of a dry run; null otherwise. */
  readonly report: TrainReport | null;
  /** ISO 8601. */
  readonly departure: string;
  /**
   * `overtaken`: the release is promoted, and people decided meanwhile what the environment has, so it was not deployed.
   * `empty`: it left without a release. `left`: a train had left for this departure before.
   */
  readonly outcome: 'departed' | 'overtaken' | 'empty' | 'left' | 'none';
  /** What it released; null for nothing. */
  readonly version: string | null;
  /** Where it was deployed; null for nowhere. */
  readonly environment: string | null;
}

/** The release train of a repository, from its cut-off to its end. */
export const runTrainFlow = defineFlow<RunTrainInput, RunTrainResult>()({
  type: 'runTrain',
  act: { event: 'train', resource: 'train', action: 'depart', named: ['repository'] },
  input: (z) =>
    z.strictObject({
      repository: repositoryId(z),
      dryRun: z.boolean().default(false),
      after: z.iso.datetime().optional(),
      by: personName(z),
    }),
  does: 'is [the release train](train.md) of a repository: offers changes that are not proven to the next generation, and promotes and deploys the rest at the departure',
  examples: [{ repository: 'work/acme/api' }, { repository: 'work/acme/api', dryRun: true }],
  startedBy: ['schedules', 'people', 'services'],
  id: ({ repository, dryRun }) => `${dryRun ? 'train-check' : 'train'}/${repository}`,
  question: ({ repository, dryRun }) => ({ repository, dryRun }),
  busy: ({ repository }) => ({
    type: 'PipelineBusy',
    message: `The release train of ${repository} is under way.`,
  }),
  summary: ({ repository, dryRun }) =>
    `${dryRun ? 'look at the' : 'the'} release train of ${repositoryName(repository)}`.slice(0, 200),
  searchAttributes: ({ repository }) => releaseAttributes({ repository }),
  // the time of a departure is that of the contract
  serviceInput: (z) =>
    z.strictObject({ repository: repositoryId(z), dryRun: z.boolean().default(false), by: personName(z) }),
  queries: ['stages'],
  person: 'by',
});

/** Input of `scheduleTrain`. */
export interface ScheduleTrainInput extends RequestFields {
  readonly repository: string;
  /** False deletes the schedule, and cancels the train that is under way. @default true */
  readonly isRunning?: boolean;
}

/** Starts the schedule of a release train, as the contract of the default branch has it, or stops it. */
export const scheduleTrainFlow = defineFlow<ScheduleTrainInput, { readonly isRunning: boolean }>()({
  type: 'scheduleTrain',
  act: { event: 'train', resource: 'train', action: 'schedule', named: ['repository'] },
  input: (z) =>
    z.strictObject({
      repository: repositoryId(z),
      isRunning: z.boolean().default(true),
      by: personName(z),
      requestId: requestId(z),
    }),
  does: 'starts, changes or stops [the schedule of a release train](train.md), as the contract of the default branch says',
  examples: [{ repository: 'work/acme/api' }, { repository: 'work/acme/api', isRunning: false }],
  startedBy: ['people', 'services'],
  id: ({ repository }) => `train-schedule/${repository}`,
  whenRunning: 'wait',
  question: ({ repository, isRunning }) => ({ repository, isRunning }),
  summary: ({ repository, isRunning }) =>
    `${isRunning ? 'start' : 'stop'} the release train of ${repositoryName(repository)}`.slice(0, 200),
  searchAttributes: ({ repository }) => releaseAttributes({ repository }),
  person: 'by',
  isRequested: true,
});
