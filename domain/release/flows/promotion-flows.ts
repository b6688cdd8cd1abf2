import type { Acting } from '../../shared/acts.ts';
import { isRepositoryId, NOT_A_REPOSITORY_ID, repositoryName } from '../../git/repository.ts';
import { isBranchName } from '../../git/branch.ts';
import { defineFlow, type Zod } from '../../shared/flow.ts';
import { rollbackUpdates } from '../../shared/repair.ts';
import { canonicalVersion, NOT_A_VERSION, VERSION_FORM } from '../contracts/version.ts';
import type { PackedCommit } from '../pipelines/job.ts';
import type { Approval } from '../promotion/approval.ts';
import type { PromotionKind } from '../promotion/gates.ts';
import type { Promoted, PromotionReport } from '../promotion/promotion.ts';
import { personName, type RequestFields, requestId } from '../../shared/request.ts';
import { isOfOneCommit, NOT_OF_ONE_COMMIT, oid, packedCommit } from './inputs.ts';
import { releaseAttributes } from './attributes.ts';

/** Input of `promoteGeneration`. */
export interface PromoteGenerationInput extends RequestFields {
  readonly repository: string;
  /** Version of the generation: `v1.5.0`. */
  readonly version: string;
  /** `hotfix` for a hotfix, which has fewer gates. @default 'standard' */
  readonly kind?: PromotionKind;
  /** The full oid of the commit that is released. @default the head of `branch` */
  readonly commit?: string;
  /** @default the default branch */
  readonly branch?: string;
  /** The commit in the blob store, for one that the remote does not have. */
  readonly packed?: PackedCommit;
  /** Evaluates and shows all gates, and does nothing else. @default false */
  readonly dryRun?: boolean;
  /** Why the generation is promoted during a freeze. @default '' */
  readonly overrideFreeze?: string;
}

/** Result of `promoteGeneration`. */
export interface PromoteGenerationResult {
  readonly report: PromotionReport;
  /** Null for a dry run. */
  readonly promoted:
    | (Promoted & { readonly tag: string; readonly object: string; readonly approval: Approval | null })
    | null;
  /** Why it was refused, a sentence each; empty otherwise. */
  readonly refused: readonly string[];
  /** What was published after the promotion, a line each. */
  readonly published: readonly string[];
}

function promotionFields(z: Zod) {
  return {
    repository: z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID),
    version: z.string().regex(VERSION_FORM, NOT_A_VERSION).transform(canonicalVersion),
    kind: z.enum(['standard', 'hotfix']).default('standard'),
    commit: oid(z).optional(),
    branch: z.string().refine(isBranchName, 'must be the name of a branch').optional(),
    dryRun: z.boolean().default(false),
    overrideFreeze: z.string().max(1_000).default(''),
    by: personName(z),
  };
}

/** Promotes a generation: all gates, the final tag, and what follows a release. */
export const promoteGenerationFlow = defineFlow<PromoteGenerationInput, PromoteGenerationResult>()({
  type: 'promoteGeneration',
  act: { event: 'generation', resource: 'generation', action: 'promote', named: ['version'] },
  input: (z) =>
    z
      .strictObject({
        ...promotionFields(z),
        packed: packedCommit(z).optional(),
        requestId: requestId(z),
      })
      .refine(isOfOneCommit, NOT_OF_ONE_COMMIT),
  does: 'promotes [a generation](release.md#promotion): evaluates all gates, waits for people, and pushes the final tag',
  examples: [
    { repository: 'work/acme/api', version: 'v1.5.0' },
    { repository: 'work/acme/api', version: 'v1.5.0', dryRun: true },
  ],
  startedBy: ['people', 'services', 'flows'],
  id: ({ repository, version, dryRun }) => `${dryRun ? 'promotion-check' : 'generation'}/${repository}/${version}`,
  question: ({ by: _by, requestId: _requestId, packed: _packed, ...rest }) => rest,
  busy: ({ version }) => ({
    type: 'PipelineBusy',
    message: `Another run promotes ${version} in another way.`,
  }),
  summary: ({ repository, version, dryRun }) =>
    `${dryRun ? 'check' : 'promote'} ${version} of ${repositoryName(repository)}`.slice(0, 200),
  searchAttributes: releaseAttributes,
  // a commit is packed by the person who has it
  serviceInput: (z) => z.strictObject(promotionFields(z)),
  updates: rollbackUpdates,
  queries: ['stages'],
  person: 'by',
  isRequested: true,
});

/** The part of a promotion after its point of no return, as the audit trail names it. */
export const PUBLISHING: Acting = {
  type: 'publishPromotion',
  act: { event: 'publication', resource: 'generation', action: 'publish', named: ['version'] },
};
