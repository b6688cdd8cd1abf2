import { isRepositoryId, NOT_A_REPOSITORY_ID, repositoryName } from '../../git/repository.ts';
import { defineFlow } from '../../shared/flow.ts';
import { canonicalVersion, NOT_A_VERSION, VERSION_FORM } from '../contracts/version.ts';
import { personName, type RequestFields, requestId } from '../../shared/request.ts';
import { releaseAttributes } from './attributes.ts';

/** Input of `withdrawGeneration`. */
export interface WithdrawGenerationInput extends RequestFields {
  readonly repository: string;
  /** Version of the generation: `v1.5.0`. */
  readonly version: string;
  readonly why: string;
  /** What happens to the final tag. @default 'keep' */
  readonly tag?: 'keep' | 'remove';
}

/** Result of `withdrawGeneration`. */
export interface WithdrawGenerationResult {
  readonly version: string;
  /** `differs`: the remote has another tag of this name, which stays. `absent`: it had none. */
  readonly tag: 'kept' | 'removed' | 'absent' | 'differs';
}

/** Takes a promoted generation back to a draft. */
export const withdrawGenerationFlow = defineFlow<WithdrawGenerationInput, WithdrawGenerationResult>()({
  type: 'withdrawGeneration',
  act: { event: 'generation', resource: 'generation', action: 'withdraw', named: ['version'] },
  input: (z) =>
    z.strictObject({
      repository: z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID),
      version: z.string().regex(VERSION_FORM, NOT_A_VERSION).transform(canonicalVersion),
      why: z.string().min(1).max(1_000),
      tag: z.enum(['keep', 'remove']).default('keep'),
      by: personName(z),
      requestId: requestId(z),
    }),
  does: 'takes a promoted [generation](release.md#promotion) back to a draft, as a recorded decision',
  examples: [{ repository: 'work/acme/api', version: 'v1.5.0', why: 'leaks memory', tag: 'remove' }],
  startedBy: ['people', 'services', 'flows'],
  // the lock of the promotion: the two never run together
  id: ({ repository, version }) => `generation/${repository}/${version}`,
  whenRunning: 'refuse',
  busy: ({ version }) => ({ type: 'PipelineBusy', message: `${version} is being promoted or withdrawn.` }),
  summary: ({ repository, version }) => `withdraw ${version} of ${repositoryName(repository)}`.slice(0, 200),
  searchAttributes: releaseAttributes,
  person: 'by',
  isRequested: true,
});
