import { isRepositoryId, NOT_A_REPOSITORY_ID, repositoryName } from '../../git/repository.ts';
import { defineFlow } from '../../shared/flow.ts';
import { CHANGE_ID } from '../contracts/change.ts';
import { canonicalVersion, NOT_A_VERSION, VERSION_FORM } from '../contracts/version.ts';
import type { EvolutionStart, FoundEvolution, JudgedEvolution } from '../evolutions/evolution.ts';
import type { PackedCommit } from '../pipelines/job.ts';
import {
  digest,
  isOfOneCommit,
  jobName,
  NOT_OF_ONE_COMMIT,
  packedCommit,
  pipelineBusy,
  pipelineName,
  runFields,
  runKey,
  runSummary,
} from './inputs.ts';
import type { RunPipelineResult } from './pipeline-flows.ts';

/** Input of `startEvolution`. */
export interface StartEvolutionInput {
  readonly repository: string;
  /** Version of the generation: `v1.5.0`. */
  readonly version: string;
  /** Id of the change: `FEAT-201`. */
  readonly change: string;
  /** @default the one that the change, the generation or the policies name */
  readonly pipeline?: string;
  /** Digest of contracts in the blob store, for those that are not committed. @default those of the default branch */
  readonly contracts?: string;
  /** Distinguishes starts of the same change. @default '1' */
  readonly request?: string;
  /** The person who starts it. @default 'unknown' */
  readonly by?: string;
}

/** Starts an evolution. */
export const startEvolutionFlow = defineFlow<StartEvolutionInput, EvolutionStart>()({
  type: 'startEvolution',
  input: (z) =>
    z.strictObject({
      repository: z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID),
      version: z.string().regex(VERSION_FORM, NOT_A_VERSION).transform(canonicalVersion),
      change: z.string().regex(CHANGE_ID, 'must be the id of a change, such as FEAT-201'),
      pipeline: pipelineName(z).optional(),
      contracts: digest(z).optional(),
      request: z
        .string()
        .regex(/^[\w-]{1,64}$/, 'use letters, digits, dash and underscore')
        .default('1'),
      by: z.string().min(1).max(200).default('unknown'),
    }),
  does: 'starts [an evolution](release.md#evolutions): checks the policies, and gives it the number of its release candidate',
  examples: [{ repository: 'work/acme/api', version: 'v1.5.0', change: 'FEAT-201' }],
  startedBy: ['people', 'services'],
  id: ({ repository, version, change, request }) => `evolution/${repository}/${version}/${change}/${request}`,
  question: ({ by: _by, ...rest }) => rest,
  busy: ({ change }) => ({
    type: 'PipelineBusy',
    message: `Another run starts an evolution of ${change} in another way.`,
  }),
  summary: ({ repository, version, change }) =>
    `start ${change} for ${version} of ${repositoryName(repository)}`.slice(0, 200),
  searchAttributes: ({ repository }) => ({ LonghaulRepository: repositoryName(repository) }),
  person: 'by',
});

/** Input of `proveChange`. */
export interface ProveChangeInput {
  readonly repository: string;
  readonly pipeline: string;
  /** The full oid of a commit. @default the head of `branch` */
  readonly commit?: string;
  /** @default the default branch, for a run without `commit` */
  readonly branch?: string;
  /** The commit in the blob store, for one that the remote does not have. */
  readonly packed?: PackedCommit;
  /** Tag of the evolution. @default the one that the message of the commit names, or the person's only one */
  readonly evolution?: string;
  /** As of `runPipeline`. */
  readonly from?: string;
  /** The person who proves it. @default 'unknown' */
  readonly by?: string;
}

/** Result of `proveChange`. */
export interface ProveChangeResult {
  readonly run: RunPipelineResult;
  /** Null for a run that proves nothing, because no evolution was pending. */
  readonly evolution: FoundEvolution | null;
  readonly verdict: JudgedEvolution | null;
}

/** Runs a pipeline at a commit, and proves the pending evolution that the commit is for. */
export const proveChangeFlow = defineFlow<ProveChangeInput, ProveChangeResult>()({
  type: 'proveChange',
  input: (z) =>
    z
      .strictObject({
        ...runFields(z),
        packed: packedCommit(z).optional(),
        evolution: z
          .string()
          .regex(/^v\d+\.\d+\.\d+-rc\.\d+$/, 'must be the tag of an evolution, such as v1.5.0-rc.1')
          .optional(),
        from: jobName(z).optional(),
      })
      .refine(isOfOneCommit, NOT_OF_ONE_COMMIT),
  does: 'runs [a pipeline](pipelines.md) at a commit, and proves [the pending evolution](release.md#evolutions) that the commit is for',
  examples: [{ repository: 'work/acme/api', pipeline: 'full-ci', branch: 'main' }],
  startedBy: ['people', 'services'],
  id: (input) => `prove/${runKey(input)}`,
  question: ({ by: _by, packed: _packed, ...rest }) => rest,
  busy: pipelineBusy,
  summary: runSummary,
  searchAttributes: ({ repository }) => ({ LonghaulRepository: repositoryName(repository) }),
  serviceInput: (z) =>
    z.strictObject({
      ...runFields(z),
    }),
  person: 'by',
});
