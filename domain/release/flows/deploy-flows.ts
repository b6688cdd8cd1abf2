import { isRepositoryId, NOT_A_REPOSITORY_ID, repositoryName } from '../../git/repository.ts';
import { type CheckedOf, defineFlow, type Zod } from '../../shared/flow.ts';
import { rollbackUpdates } from '../../shared/repair.ts';
import { canonicalVersion, NOT_A_VERSION, VERSION_FORM } from '../contracts/version.ts';
import { CANARY_ACTIONS } from '../deployment/canary.ts';
import type { PlannedDeployment } from '../deployment/deployment.ts';
import { releaseAttributes } from './attributes.ts';
import { personName, type RequestFields, requestId } from '../../shared/request.ts';
import { environmentName, packedCommit } from './inputs.ts';
import type { PackedCommit } from '../pipelines/job.ts';

/** Input of `deployRelease`. */
export interface DeployReleaseInput extends RequestFields {
  readonly repository: string;
  /** Version of a promoted generation: `v1.5.0`. */
  readonly version: string;
  /** Name of the environment. */
  readonly environment: string;
  /** Only these services. @default all of the environment */
  readonly services?: readonly string[];
  /** Makes the plan and shows it, and does nothing else. @default false */
  readonly dryRun?: boolean;
  /** Why it is deployed during a freeze. @default '' */
  readonly overrideFreeze?: string;
  /** Why it is urgent, above all why environments before this one are passed over; recorded and announced. @default '' */
  readonly reason?: string;
  /** Number of an issue at the forge that gets a comment when it is rolled back. @default none */
  readonly issue?: number;
  /**
   * True goes back to a release that the environment had: the down steps of the hooks of all later ones run instead of the
   * hooks of this one. @default false
   */
  readonly goBack?: boolean;
  /**
   * For a release that has been in another environment: the deployment there, and the end of its soak time (ISO 8601),
   * which is waited for. @default none
   */
  readonly soaked?: { readonly deployment: string; readonly until: string };
  /** For a run of a pipeline that deploys its commit, whose first twelve digits are the version. @default none */
  readonly candidate?: DeployedCandidate;
  /** For one that alerts ask for. @default none */
  readonly alert?: CausingAlert;
}

/** The alerts for which a deployment goes back. */
export interface CausingAlert {
  /** Id of the deployment that they are about: where another one has followed it, this one is refused. */
  readonly deployment: string;
  /** What they say, on one line. */
  readonly text: string;
}

function alert(z: Zod) {
  return z.strictObject({ deployment: z.string().min(1).max(100), text: z.string().min(1).max(2_000) });
}

/** A commit that a run of a pipeline deploys before it is released. */
export interface DeployedCandidate {
  readonly packed: PackedCommit;
  /** Outputs of jobs of the run, by job. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Workflow id of the run: it is told when the environment was watched, and then says `keep`, or cancels the deployment. */
  readonly run: string;
  /** Id of its job. */
  readonly job: string;
}

function candidate(z: Zod) {
  return z.strictObject({
    packed: packedCommit(z),
    outputs: z.record(z.string(), z.record(z.string(), z.string())),
    run: z.string().min(1).max(1_000),
    job: z.string().min(1).max(1_000),
  });
}

/** A version, or the first digits of a commit. */
function versionOrCommit(z: Zod) {
  return z
    .string()
    .regex(new RegExp(`${VERSION_FORM.source}|^[0-9a-f]{12}$`), NOT_A_VERSION)
    .transform((text) => (VERSION_FORM.test(text) ? canonicalVersion(text) : text));
}

/** Result of `deployRelease`. */
export interface DeployReleaseResult {
  readonly plan: PlannedDeployment;
  /** True when the environment has the release. */
  readonly isDeployed: boolean;
  /** Samples of the watch. */
  readonly samples: number;
}

function deployFields(z: Zod) {
  return {
    repository: z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID),
    version: versionOrCommit(z),
    environment: environmentName(z),
    services: z.array(z.string().min(1).max(63)).min(1).max(500).optional(),
    dryRun: z.boolean().default(false),
    overrideFreeze: z.string().max(1_000).default(''),
    reason: z.string().max(1_000).default(''),
    issue: z.int().min(1).optional(),
    goBack: z.boolean().default(false),
    by: personName(z),
  };
}

/** Deploys a release to an environment, when it is its turn. */
export const deployReleaseFlow = defineFlow<DeployReleaseInput, DeployReleaseResult>()({
  type: 'deployRelease',
  act: { event: 'deployment', resource: 'environment', action: 'deploy', named: ['environment', 'version'] },
  input: (z) =>
    z.strictObject({
      ...deployFields(z),
      soaked: z.strictObject({ deployment: z.string().min(1).max(100), until: z.iso.datetime() }).optional(),
      candidate: candidate(z).optional(),
      alert: alert(z).optional(),
      requestId: requestId(z),
    }),
  does: 'deploys [a release](deploy.md) to an environment, watches it, and puts everything back when it goes wrong',
  examples: [
    { repository: 'work/acme/api', version: 'v1.5.0', environment: 'staging' },
    { repository: 'work/acme/api', version: 'v1.5.0', environment: 'production', dryRun: true },
  ],
  startedBy: ['people', 'services', 'flows'],
  // people may deploy the release while it soaks
  id: ({ repository, version, environment, dryRun, soaked }) =>
    `${dryRun ? 'deployment-plan' : 'deployment'}/${repository}/${environment}/${version}${soaked === undefined ? '' : '/after-soak'}`,
  question: ({ by: _by, requestId: _requestId, soaked: _soaked, candidate: _candidate, alert: _alert, ...rest }) =>
    rest,
  busy: ({ version, environment }) => ({
    type: 'EnvironmentBusy',
    message: `Another run deploys ${version} to ${environment} in another way.`,
  }),
  summary: ({ repository, version, environment, dryRun }) =>
    `${dryRun ? 'plan' : 'deploy'} ${version} of ${repositoryName(repository)} to ${environment}`.slice(0, 200),
  searchAttributes: releaseAttributes,
  serviceInput: (z) => z.strictObject(deployFields(z)),
  signals: { turn: (z) => z.array(z.string()), replaced: (z) => z.string() },
  queries: ['stages'],
  person: 'by',
  isRequested: true,
});

/** Input of `changeEnvironment`. */
export interface ChangeEnvironmentInput extends Omit<DeployReleaseInput, 'soaked'> {
  readonly packed: PackedCommit;
  /** The flows that wait for their turn, in their order. @default none */
  readonly waiting?: readonly string[];
}

/** The flow that has the lock of an environment, and changes it. */
export const changeEnvironmentFlow = defineFlow<ChangeEnvironmentInput, DeployReleaseResult>()({
  type: 'changeEnvironment',
  act: { event: 'deployment', resource: 'environment', action: 'deploy', named: ['environment', 'version'] },
  input: (z) =>
    z.strictObject({
      ...deployFields(z),
      packed: packedCommit(z),
      candidate: candidate(z).optional(),
      alert: alert(z).optional(),
      waiting: z.array(z.string().min(1).max(1_000)).default([]),
      requestId: requestId(z),
    }),
  does: 'is the part of [a deployment](deploy.md) that has the lock of the environment: started by `deployRelease`',
  examples: [
    {
      repository: 'work/acme/api',
      version: 'v1.5.0',
      environment: 'staging',
      packed: { commit: 'a'.repeat(40), tree: 'b'.repeat(40), pack: 'c'.repeat(64), changed: 'd'.repeat(64) },
    },
  ],
  startedBy: ['flows'],
  id: ({ repository, environment, dryRun, version }) =>
    dryRun ? `deploy-plan/${repository}/${environment}/${version}` : `deploy/${repository}/${environment}`,
  whenRunning: 'refuse',
  busy: ({ environment }) => ({
    type: 'EnvironmentBusy',
    message: `Another deployment to ${environment} is at work.`,
  }),
  summary: ({ repository, version, environment }) =>
    `${version} of ${repositoryName(repository)} in ${environment}`.slice(0, 200),
  searchAttributes: releaseAttributes,
  signals: { waiting: (z) => z.string(), replace: (z) => z.string(), keep: (z) => z.string() },
  updates: {
    ...rollbackUpdates,
    canary: (z) => z.strictObject({ action: z.enum(CANARY_ACTIONS), why: z.string().min(1).max(1_000).optional() }),
  },
  queries: ['stages'],
  person: 'by',
  isRequested: true,
});

/** The checked input of {@link changeEnvironmentFlow}, and the digest of the contracts that its commit has. */
export type EnvironmentChange = CheckedOf<typeof changeEnvironmentFlow> & { readonly contracts: string };
