import { isBranchName } from '../../git/branch.ts';
import { isRepositoryId, NOT_A_REPOSITORY_ID, repositoryName } from '../../git/repository.ts';
import { defineFlow } from '../../shared/flow.ts';
import type { CheckedEnvironment } from '../deployment/environment-check.ts';
import type { PackedCommit } from '../pipelines/job.ts';
import { releaseAttributes } from './attributes.ts';
import { isOfOneCommit, NOT_OF_ONE_COMMIT, oid, packedCommit } from './inputs.ts';

/** Input of `checkEnvironments`. */
export interface CheckEnvironmentsInput {
  readonly repository: string;
  /** The full oid of a commit. @default the head of `branch` */
  readonly commit?: string;
  /** @default the default branch */
  readonly branch?: string;
  /** The commit in the blob store, for one that the remote does not have. */
  readonly packed?: PackedCommit;
  /** Name of one environment. @default all of them */
  readonly environment?: string;
}

/** Result of `checkEnvironments`. */
export interface CheckEnvironmentsResult {
  readonly commit: string;
  /** In their order. */
  readonly environments: readonly CheckedEnvironment[];
}

/** Asks each environment of a commit what a deployment there would lack. */
export const checkEnvironmentsFlow = defineFlow<CheckEnvironmentsInput, CheckEnvironmentsResult>()({
  type: 'checkEnvironments',
  input: (z) =>
    z
      .strictObject({
        repository: z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID),
        commit: oid(z).optional(),
        branch: z.string().refine(isBranchName, 'must be the name of a branch').optional(),
        packed: packedCommit(z).optional(),
        environment: z.string().min(1).max(63).optional(),
      })
      .refine(isOfOneCommit, NOT_OF_ONE_COMMIT),
  does: 'asks [each environment](deploy.md#check) what a deployment there would lack: permissions, kinds, versions, metrics',
  examples: [{ repository: 'work/acme/api' }, { repository: 'work/acme/api', environment: 'staging' }],
  startedBy: ['people', 'services', 'flows'],
  id: ({ repository, commit, branch, environment }) =>
    `environments/${repository}/${environment ?? 'all'}/${commit ?? branch ?? 'HEAD'}`,
  summary: ({ repository, environment }) =>
    `check ${environment ?? 'the environments'} of ${repositoryName(repository)}`.slice(0, 200),
  searchAttributes: releaseAttributes,
});
