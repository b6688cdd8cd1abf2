import { isBranchName } from '../../git/branch.ts';
import { isRepositoryId, NOT_A_REPOSITORY_ID, repositoryName } from '../../git/repository.ts';
import { defineFlow, type Zod } from '../../shared/flow.ts';
import { CHANGE_ID } from '../contracts/change.ts';
import { canonicalVersion, NOT_A_VERSION, VERSION_FORM } from '../contracts/version.ts';
import type { EvolutionStart, FoundEvolution, JudgedEvolution } from '../evolutions/evolution.ts';
import type { PackedCommit } from '../pipelines/job.ts';
import { digest, personName, type RequestFields, requestId } from '../../shared/request.ts';
import {
  isOfOneCommit,
  jobName,
  NOT_OF_ONE_COMMIT,
  oid,
  packedCommit,
  pipelineBusy,
  pipelineName,
  replacedContracts,
  runFields,
  runKey,
  runSummary,
} from './inputs.ts';
import { releaseAttributes, versionOfTag } from './attributes.ts';
import type { RunPipelineResult } from './pipeline-flows.ts';

function evolutionTag(z: Zod) {
  return z.string().regex(/^v\d+\.\d+\.\d+-rc\.\d+$/, 'must be the tag of an evolution, such as v1.5.0-rc.1');
}

/** Input of `startEvolution`. */
export interface StartEvolutionInput extends RequestFields {
  readonly repository: string;
  /** Version of the generation: `v1.5.0`. */
  readonly version: string;
  /** Id of the change: `FEAT-201`. */
  readonly change: string;
  /** @default the one that the change, the generation or the policies name */
  readonly pipeline?: string;
  /** Digest of contracts in the blob store, for those that are not committed. @default those of the default branch */
  readonly contracts?: string;
  /** Proves it at once at this commit: full oid. @default it stays pending */
  readonly commit?: string;
  /** The branch of `commit`. @default none */
  readonly branch?: string;
  /** The commit in the blob store, for one that the remote does not have. */
  readonly packed?: PackedCommit;
  /**
   * SHA-256 of contracts of the generation, or at least 12 digits of it, that the given one was made from: it may leave
   * out and edit their changes. @default none
   */
  readonly replaces?: readonly string[];
  /** Distinguishes starts of the same change. @default '1' */
  readonly request?: string;
}

/** Result of `startEvolution`. */
export interface StartEvolutionResult extends EvolutionStart {
  /** Null for an evolution that stays pending. */
  readonly proof: ProveChangeResult | null;
}

/** Starts an evolution. */
export const startEvolutionFlow = defineFlow<StartEvolutionInput, StartEvolutionResult>()({
  type: 'startEvolution',
  act: { event: 'evolution', resource: 'evolution', action: 'start', named: ['version', 'change'] },
  input: (z) =>
    z
      .strictObject({
        repository: z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID),
        version: z.string().regex(VERSION_FORM, NOT_A_VERSION).transform(canonicalVersion),
        change: z.string().regex(CHANGE_ID, 'must be the id of a change, such as FEAT-201'),
        pipeline: pipelineName(z).optional(),
        contracts: digest(z).optional(),
        commit: oid(z).optional(),
        branch: z.string().refine(isBranchName, 'must be the name of a branch').optional(),
        packed: packedCommit(z).optional(),
        replaces: replacedContracts(z),
        request: z
          .string()
          .regex(/^[\w-]{1,64}$/, 'use letters, digits, dash and underscore')
          .default('1'),
        by: personName(z),
        requestId: requestId(z),
      })
      .refine(isOfOneCommit, NOT_OF_ONE_COMMIT),
  does: 'starts [an evolution](release.md#evolutions): checks the policies, gives it the number of its release candidate, and proves it when a commit is given',
  examples: [{ repository: 'work/acme/api', version: 'v1.5.0', change: 'FEAT-201' }],
  startedBy: ['people', 'services', 'flows'],
  id: ({ repository, version, change, request }) => `evolution/${repository}/${version}/${change}/${request}`,
  question: ({ by: _by, requestId: _requestId, packed: _packed, ...rest }) => rest,
  busy: ({ change }) => ({
    type: 'PipelineBusy',
    message: `Another run starts an evolution of ${change} in another way.`,
  }),
  summary: ({ repository, version, change }) =>
    `start ${change} for ${version} of ${repositoryName(repository)}`.slice(0, 200),
  searchAttributes: releaseAttributes,
  person: 'by',
  isRequested: true,
});

/** Input of `proveChange`. */
export interface ProveChangeInput extends RequestFields {
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
  /** What starts it; conditions of jobs ask for it. @default 'evolution', for a plain run 'manual' */
  readonly event?: 'push';
  /** Tags of earlier failures of the change that a pass supersedes, although its commit does not descend from theirs. */
  readonly supersedes?: readonly string[];
  /** As of `runPipeline`. */
  readonly from?: string;
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
  act: { event: 'evolution', resource: 'pipeline', action: 'prove', named: ['pipeline'] },
  input: (z) =>
    z
      .strictObject({
        ...runFields(z),
        packed: packedCommit(z).optional(),
        evolution: evolutionTag(z).optional(),
        event: z.literal('push').optional(),
        supersedes: z.array(evolutionTag(z)).max(100).default([]),
        from: jobName(z).optional(),
        requestId: requestId(z),
      })
      .refine(isOfOneCommit, NOT_OF_ONE_COMMIT),
  does: 'runs [a pipeline](pipelines.md) at a commit, and proves [the pending evolution](release.md#evolutions) that the commit is for',
  examples: [{ repository: 'work/acme/api', pipeline: 'full-ci', branch: 'main' }],
  startedBy: ['people', 'services'],
  id: (input) => `prove/${runKey(input)}`,
  question: ({ by: _by, requestId: _requestId, packed: _packed, ...rest }) => rest,
  busy: pipelineBusy,
  summary: runSummary,
  searchAttributes: ({ repository, evolution }) =>
    releaseAttributes({ repository, ...(evolution === undefined ? {} : { version: versionOfTag(evolution) }) }),
  serviceInput: (z) =>
    z.strictObject({
      ...runFields(z),
      supersedes: z.array(evolutionTag(z)).max(100).default([]),
    }),
  queries: ['stages'],
  person: 'by',
  isRequested: true,
});

/** Input of `abandonEvolution`. */
export interface AbandonEvolutionInput extends RequestFields {
  readonly repository: string;
  /** Its tag: `v1.5.0-rc.1`. */
  readonly evolution: string;
  readonly why: string;
}

/** Ends a pending evolution without a verdict. */
export const abandonEvolutionFlow = defineFlow<AbandonEvolutionInput, { readonly abandoned: string }>()({
  type: 'abandonEvolution',
  act: { event: 'evolution', resource: 'evolution', action: 'abandon', named: ['evolution'] },
  input: (z) =>
    z.strictObject({
      repository: z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID),
      evolution: evolutionTag(z),
      why: z.string().min(1).max(1_000),
      by: personName(z),
      requestId: requestId(z),
    }),
  does: 'ends a pending [evolution](release.md#evolutions) without a verdict; its number is spent',
  examples: [{ repository: 'work/acme/api', evolution: 'v1.5.0-rc.2', why: 'the change is postponed' }],
  startedBy: ['people', 'services'],
  id: ({ repository, evolution }) => `abandon/${repository}/${evolution}`,
  question: ({ repository, evolution }) => ({ repository, evolution }),
  summary: ({ repository, evolution }) => `abandon ${evolution} of ${repositoryName(repository)}`.slice(0, 200),
  searchAttributes: ({ repository, evolution }) => releaseAttributes({ repository, version: versionOfTag(evolution) }),
  person: 'by',
  isRequested: true,
});
