import { isBranchName } from '../../git/branch.ts';
import { isRepositoryId, NOT_A_REPOSITORY_ID, repositoryName } from '../../git/repository.ts';
import { defineFlow } from '../../shared/flow.ts';
import { oid } from './inputs.ts';
import { releaseAttributes } from './attributes.ts';

/** Input of `proveOnPush`. */
export interface ProveOnPushInput {
  readonly repository: string;
  /** Full oid of the pushed commit. */
  readonly commit: string;
  /** The branch to which it was pushed. */
  readonly branch: string;
  /** Where the branch was before, a full oid. @default it is new: the commits that the default branch does not have count */
  readonly before?: string;
}

/** Result of `proveOnPush`. */
export interface ProveOnPushResult {
  /** The evolutions of the changes that the pushed commits name, at which commit each was run, and how it ended. */
  readonly evolutions: readonly { readonly tag: string; readonly commit: string; readonly status: 'pass' | 'fail' }[];
  /** Tags of evolutions of which several could be meant: none of them was proven. */
  readonly unclear: readonly string[];
}

/** Proves the pending evolutions of the changes that pushed commits name. */
export const proveOnPushFlow = defineFlow<ProveOnPushInput, ProveOnPushResult>()({
  type: 'proveOnPush',
  act: { event: 'evolution', resource: 'commit', action: 'prove on push', named: ['commit'] },
  input: (z) =>
    z.strictObject({
      repository: z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID),
      commit: oid(z),
      branch: z.string().refine(isBranchName, 'must be the name of a branch'),
      before: oid(z).optional(),
    }),
  does: 'proves [the pending evolutions](release.md#evolutions) of the changes that pushed commits name, with `release.onPush`',
  examples: [{ repository: 'work/acme/api', commit: '4b825dc642cb6eb9a060e54bf8d69288fbee4904', branch: 'main' }],
  startedBy: ['services'],
  // a commit is proven once, to whatever branches it is pushed
  id: ({ repository, commit }) => `push/${repository}/${commit}`,
  question: ({ repository, commit }) => ({ repository, commit }),
  busy: ({ commit }) => ({ type: 'PipelineBusy', message: `Another run proves what ${commit.slice(0, 12)} names.` }),
  summary: ({ repository, commit, branch }) =>
    `push of ${commit.slice(0, 12)} to ${branch} of ${repositoryName(repository)}`.slice(0, 200),
  searchAttributes: ({ repository }) => releaseAttributes({ repository }),
});
