import { isRepositoryId, NOT_A_REPOSITORY_ID, repositoryName } from '../../git/repository.ts';
import { defineFlow } from '../../shared/flow.ts';
import { canonicalVersion, NOT_A_VERSION, VERSION_FORM } from '../contracts/version.ts';
import type { Recovery } from '../promotion/recovery.ts';
import { releaseAttributes } from './attributes.ts';
import { personName, type RequestFields, requestId } from '../../shared/request.ts';
import { changeId, environmentName, oneLine } from './inputs.ts';

/** The stages at which a recovery may start, in their order. */
export const RECOVERY_STAGES = ['rollback', 'decision', 'withdrawal', 'hotfix'] as const;

/** Input of `recoverGeneration`. */
export interface RecoverGenerationInput extends RequestFields {
  readonly repository: string;
  /** Version of the promoted generation that is bad: `v6.0.0`. */
  readonly version: string;
  /** The environment that goes back first. */
  readonly environment: string;
  /** What is wrong with it; recorded and announced. */
  readonly why: string;
  /** Whether it is a draft again, or stays promoted. @default people choose at a gate */
  readonly decision?: 'withdraw' | 'keep';
  /** What happens to the final tag of a withdrawn generation. @default 'keep' */
  readonly tag?: 'keep' | 'remove';
  /** The hotfix that is started in the end, of the release that the environment has then. @default it is only offered */
  readonly hotfix?: { readonly issue: string; readonly title: string };
  /** The first stage; what the ones before have done is read from the ledger. @default 'rollback' */
  readonly from?: (typeof RECOVERY_STAGES)[number];
  /** Why it is done during a freeze. @default '' */
  readonly overrideFreeze?: string;
}

/** Brings an environment, the ledger and the work on a repair in order after a bad promotion. */
export const recoverGenerationFlow = defineFlow<RecoverGenerationInput, Recovery>()({
  type: 'recoverGeneration',
  act: { event: 'generation', resource: 'generation', action: 'recover', named: ['version'] },
  input: (z) =>
    z
      .strictObject({
        repository: z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID),
        version: z.string().regex(VERSION_FORM, NOT_A_VERSION).transform(canonicalVersion),
        environment: environmentName(z),
        why: z.string().trim().min(1, 'say what is wrong with the release').max(1_000),
        decision: z.enum(['withdraw', 'keep']).optional(),
        tag: z.enum(['keep', 'remove']).default('keep'),
        hotfix: z.strictObject({ issue: changeId(z), title: oneLine(z) }).optional(),
        from: z.enum(RECOVERY_STAGES).default('rollback'),
        overrideFreeze: z.string().max(1_000).default(''),
        by: personName(z),
        requestId: requestId(z),
      })
      .refine(({ from, decision }) => from !== 'withdrawal' || decision !== undefined, {
        message: 'must be given when the decision of people is passed over',
        path: ['decision'],
      }),
  does: 'after a bad promotion: [takes an environment back, then the generation, and starts the hotfix](deploy.md#after-a-bad-promotion)',
  examples: [
    { repository: 'work/acme/api', version: 'v6.0.0', environment: 'production', why: 'leaks memory' },
    {
      repository: 'work/acme/api',
      version: 'v6.0.0',
      environment: 'production',
      why: 'leaks memory',
      decision: 'withdraw',
      hotfix: { issue: 'CRIT-600', title: 'Fix the memory leak' },
    },
  ],
  startedBy: ['people', 'services'],
  id: ({ repository, environment, version }) => `recovery/${repository}/${environment}/${version}`,
  question: ({ by: _by, requestId: _requestId, from: _from, ...rest }) => rest,
  busy: ({ version, environment }) => ({
    type: 'PipelineBusy',
    message: `Another run takes ${version} back from ${environment} in another way.`,
  }),
  summary: ({ repository, version, environment }) =>
    `take ${version} of ${repositoryName(repository)} back from ${environment}`.slice(0, 200),
  searchAttributes: releaseAttributes,
  queries: ['stages'],
  person: 'by',
  isRequested: true,
});
