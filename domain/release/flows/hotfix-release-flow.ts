import { isRepositoryId, NOT_A_REPOSITORY_ID, repositoryName } from '../../git/repository.ts';
import { defineFlow } from '../../shared/flow.ts';
import { canonicalVersion, NOT_A_VERSION, VERSION_FORM } from '../contracts/version.ts';
import { releaseAttributes } from './attributes.ts';
import { personName, type RequestFields, requestId } from '../../shared/request.ts';
import { changeId, environmentName, oneLine } from './inputs.ts';

/** Input of `releaseHotfix`: `base`, `issue` and `title` for a new hotfix, or `version` for one that is there. */
export interface ReleaseHotfixInput extends RequestFields {
  readonly repository: string;
  /** The released version that is repaired: `v2.3.0`. */
  readonly base?: string;
  /** Id of the change: `CRIT-500`. */
  readonly issue?: string;
  /** One line: what is repaired. */
  readonly title?: string;
  /** The version of a hotfix that was created before: `v2.3.1`. */
  readonly version?: string;
  /** The environment that gets the hotfix. */
  readonly environment: string;
  /** Why environments before it are passed over; recorded and announced. */
  readonly reason: string;
  /** Why it is promoted and deployed during a freeze. @default '' */
  readonly overrideFreeze?: string;
}

/** Result of `releaseHotfix`; also carried by its failure once the hotfix is promoted. */
export interface ReleaseHotfixResult {
  readonly base: string;
  /** The version of the hotfix. */
  readonly version: string;
  readonly issue: string;
  readonly environment: string;
  readonly reason: string;
  /** The released commit. */
  readonly commit: string;
  /** What was published after the promotion, a line each: with the offers of the fix to other branches. */
  readonly published: readonly string[];
  /** The deployment that stays; null when it did not. */
  readonly deployment: { readonly id: string; readonly samples: number } | null;
  /** Why it did not stay, one sentence; null when it did. */
  readonly problem: string | null;
}

const isHotfixNamed = (input: {
  readonly base?: string | undefined;
  readonly issue?: string | undefined;
  readonly title?: string | undefined;
  readonly version?: string | undefined;
}): boolean => {
  const { version, ...created } = input;
  const named = [created.base, created.issue, created.title].filter((field) => field !== undefined);
  return version === undefined ? named.length === 3 : named.length === 0;
};

/** Brings a hotfix from its issue into a healthy environment. */
export const releaseHotfixFlow = defineFlow<ReleaseHotfixInput, ReleaseHotfixResult>()({
  type: 'releaseHotfix',
  act: { event: 'hotfix', resource: 'generation', action: 'release hotfix', named: ['version', 'base', 'issue'] },
  input: (z) =>
    z
      .strictObject({
        repository: z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID),
        base: z.string().regex(VERSION_FORM, NOT_A_VERSION).transform(canonicalVersion).optional(),
        issue: changeId(z).optional(),
        title: oneLine(z).optional(),
        version: z.string().regex(VERSION_FORM, NOT_A_VERSION).transform(canonicalVersion).optional(),
        environment: environmentName(z),
        reason: z.string().trim().min(1, 'say why environments before it are passed over').max(1_000),
        overrideFreeze: z.string().max(1_000).default(''),
        by: personName(z),
        requestId: requestId(z),
      })
      .refine(isHotfixNamed, {
        message: 'give base, issue and title of a new hotfix, or the version of one that is there',
        path: ['version'],
      }),
  does: 'brings [a hotfix](deploy.md#hotfix-to-production) from its issue into a healthy environment: creates it, waits for its proof, promotes and deploys it',
  examples: [
    {
      repository: 'work/acme/api',
      base: 'v2.3.0',
      issue: 'CRIT-500',
      title: 'Fix the connection leak',
      environment: 'production',
      reason: 'orders are lost',
    },
    { repository: 'work/acme/api', version: 'v2.3.1', environment: 'production', reason: 'orders are lost' },
  ],
  startedBy: ['people', 'services', 'flows'],
  id: ({ repository, environment, base, issue, version }) =>
    `hotfix-release/${repository}/${environment}/${version ?? `${base}/${issue}`}`,
  question: ({ by: _by, requestId: _requestId, ...rest }) => rest,
  busy: ({ version, issue, environment }) => ({
    type: 'PipelineBusy',
    message: `Another run brings the hotfix ${version ?? issue} to ${environment} in another way.`,
  }),
  summary: ({ repository, version, base, issue, environment }) =>
    `hotfix ${version ?? `of ${base} for ${issue}`} of ${repositoryName(repository)} to ${environment}`.slice(0, 200),
  searchAttributes: releaseAttributes,
  queries: ['stages'],
  person: 'by',
  isRequested: true,
});
