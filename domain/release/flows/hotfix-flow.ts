import { isRepositoryId, NOT_A_REPOSITORY_ID, repositoryName } from '../../git/repository.ts';
import { defineFlow } from '../../shared/flow.ts';
import { rollbackUpdates } from '../../shared/repair.ts';
import { canonicalVersion, NOT_A_VERSION, VERSION_FORM } from '../contracts/version.ts';
import { personName, type RequestFields, requestId } from '../../shared/request.ts';
import { changeId, oneLine } from './inputs.ts';

/** Input of `createHotfix`. */
export interface CreateHotfixInput extends RequestFields {
  readonly repository: string;
  /** The released version that is repaired: `v2.3.0`. */
  readonly base: string;
  /** Id of the change: `CRIT-500`. */
  readonly issue: string;
  readonly title: string;
}

/** Result of `createHotfix`. */
export interface CreateHotfixResult {
  readonly base: string;
  /** The version of the hotfix. */
  readonly version: string;
  /** Id of its generation in the ledger. */
  readonly generation: string;
  readonly issue: string;
  /** The branch with its contract, which begins at the tag of `base`. */
  readonly branch: string;
  readonly commit: string;
}

/** Creates a hotfix of a released version. */
export const createHotfixFlow = defineFlow<CreateHotfixInput, CreateHotfixResult>()({
  type: 'createHotfix',
  act: { event: 'hotfix', resource: 'generation', action: 'create hotfix', named: ['base'] },
  input: (z) =>
    z.strictObject({
      repository: z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID),
      base: z.string().regex(VERSION_FORM, NOT_A_VERSION).transform(canonicalVersion),
      issue: changeId(z),
      title: oneLine(z),
      by: personName(z),
      requestId: requestId(z),
    }),
  does: 'creates [a hotfix](release.md#hotfixes): the next free patch version, and a branch from the tag with its contract',
  examples: [{ repository: 'work/acme/api', base: 'v2.3.0', issue: 'CRIT-500', title: 'Fix the connection leak' }],
  startedBy: ['people', 'services', 'flows'],
  // hotfixes of one version take turns: each sees the versions of those before it
  id: ({ repository, base }) => `hotfix/${repository}/${base}`,
  whenRunning: 'wait',
  question: ({ by: _by, requestId: _requestId, ...rest }) => rest,
  busy: ({ base }) => ({ type: 'PipelineBusy', message: `Another hotfix of ${base} is being created.` }),
  summary: ({ repository, base }) => `hotfix of ${base} of ${repositoryName(repository)}`.slice(0, 200),
  searchAttributes: ({ repository }) => ({ LonghaulRepository: repositoryName(repository) }),
  updates: rollbackUpdates,
  queries: ['stages'],
  person: 'by',
  isRequested: true,
});
