/**
 * Every failure that a flow can end with, by its Temporal `ApplicationFailure.type`: the number of tries (1: no retry;
 * null: as long as the flow allows, because only waiting helps), the exit code of the command line, and what the
 * operator should do. Workers, the command line and the documentation use this one table.
 */
export const FAILURES = {
  InvalidInput: { tries: 1, exitCode: 2, remedy: 'Correct the input that the message names and start again.' },
  InvalidConfiguration: {
    tries: 1,
    exitCode: 2,
    remedy: 'Correct the file and key that the message names.',
  },
  ConfigurationNotTrusted: {
    tries: 1,
    exitCode: 2,
    remedy: 'Read the file. Then run `longhaul config trust`, or name the file with --config or LONGHAUL_CONFIG.',
  },
  AuthenticationFailed: {
    tries: 1,
    exitCode: 5,
    remedy:
      'Provide a valid token or key for what the message names (tokenEnv or apiKeyEnv in longhaul.yaml); a token must be allowed to read these repositories.',
  },
  PermissionMissing: {
    tries: 1,
    exitCode: 5,
    remedy:
      'Give the token that writes (writeTokenEnv, else tokenEnv, of the provider in longhaul.yaml) the permission that the message names: docs/forges.md lists them.',
  },
  RepositoryNotFound: {
    tries: 1,
    exitCode: 6,
    remedy:
      'Check the id with `longhaul repos list`; if the repository is gone, remove it with `longhaul index remove`.',
  },
  HeadMissing: {
    tries: 1,
    exitCode: 6,
    remedy:
      'Let HEAD name one of its branches: `git symbolic-ref HEAD refs/heads/<branch>` in the repository, or the default branch at the forge.',
  },
  RateLimited: {
    tries: null,
    exitCode: 4,
    remedy: 'Nothing to do: the flow waits as long as the server asks and then continues.',
  },
  DiscoveryFailed: {
    tries: 5,
    exitCode: 4,
    remedy:
      'Check that the worker can reach the provider, or read its folder: `longhaul doctor` shows the proxy of each forge and the certificate authorities.',
  },
  ForgeUnavailable: {
    tries: 5,
    exitCode: 4,
    remedy:
      'Check that the worker can reach the forge (`longhaul doctor`). The step looks for what it has done already before it tries again.',
  },
  ForgeForbids: {
    tries: 1,
    exitCode: 1,
    remedy: 'Do by hand what the forge still asks for (reviews, checks, a setting of the repository), and start again.',
  },
  ForgeConflict: {
    tries: 3,
    exitCode: 1,
    remedy: 'Look at what the message names on the forge: something else has changed or created it.',
  },
  ForgeGone: {
    tries: 1,
    exitCode: 6,
    remedy: 'Enable on the forge what the message names (issues or releases of the repository), or undo its removal.',
  },
  ForgeRejected: {
    tries: 1,
    exitCode: 1,
    remedy: 'Correct what the forge names in the message: a branch, a name, or a rule of the repository.',
  },
  NoForge: {
    tries: 1,
    exitCode: 2,
    remedy: 'Use a repository of a provider of the type github, gitlab or gitea; others get branches and tags only.',
  },
  GitFailed: { tries: 4, exitCode: 4, remedy: 'Check that the worker can reach and read the remote.' },
  RemoteUnreachable: {
    tries: 4,
    exitCode: 4,
    remedy:
      'Check the address that the message names, and the proxy and certificate authorities of the worker: `longhaul doctor` shows them.',
  },
  GitUnusable: {
    tries: 1,
    exitCode: 3,
    remedy: 'Install git 2.36 or later on the machine of the worker, on the PATH of its process.',
  },
  SourceUnreadable: {
    tries: 4,
    exitCode: 3,
    remedy:
      'Make the folder that the message names readable for the worker, and check it with `git fsck`; a damaged repository can be cloned again.',
  },
  PartialClone: {
    tries: 1,
    exitCode: 3,
    remedy:
      'Complete it with `git fetch --refetch --no-filter` in its folder, or configure the forge that it was cloned from as a provider.',
  },
  SchemaMismatch: {
    tries: 1,
    exitCode: 3,
    remedy:
      'An index: rebuild it with `longhaul index reembed`; or, if another program made the collection, use another index.name. A file: use the version of Longhaul that wrote it, or a newer one.',
  },
  IndexIncomplete: {
    tries: 4,
    exitCode: 1,
    remedy: 'Run the sync again: the old receipt is still there, and the next run repairs the difference.',
  },
  IndexDiffers: {
    tries: 1,
    exitCode: 7,
    remedy:
      'Repair it with `longhaul index verify --all --full --repair` (without --full it compares numbers only); it lists what it cannot repair with the reason.',
  },
  DiskFailed: {
    tries: 4,
    exitCode: 3,
    remedy:
      'Give the folders of the worker space and a working disk (`longhaul doctor` lists them), and start again: what was complete before is still there.',
  },
  WeaviateReadOnly: {
    tries: 4,
    exitCode: 3,
    remedy:
      'Free space on the disk of Weaviate (`longhaul doctor` shows it), then restart it: `longhaul down` and `longhaul up`, or your own server.',
  },
  BlobNotFound: {
    tries: 1,
    exitCode: 6,
    remedy:
      'Make the worker and the command line use the same blob store (`blobs` in longhaul.yaml), and provide the content again: a stream with `longhaul index stdin`.',
  },
  BlobDamaged: {
    tries: 1,
    exitCode: 3,
    remedy:
      'Provide the content again, which replaces it: a stream with `longhaul index stdin`; and check the disk or bucket.',
  },
  RecordExists: {
    tries: 1,
    exitCode: 1,
    remedy: 'Compare the two: records are never rewritten, so one of the writers recorded something wrong.',
  },
  // the other run may be an earlier attempt of the same work whose answer was lost: the next attempt finds it done
  RepositoryBusy: {
    tries: 4,
    exitCode: 1,
    remedy: 'Another run works on this repository: start again when `longhaul watch sync/<repository id>` has ended.',
  },
  IndexBusy: {
    tries: 1,
    exitCode: 1,
    remedy:
      '`longhaul watch index-builds` shows the other run and asks for its confirmation; start again when it has ended.',
  },
  BuildIsWorse: {
    tries: 1,
    exitCode: 8,
    remedy:
      'Look at the queries that got worse; switch anyway with `longhaul index switch`, or delete the build with `longhaul index prune`.',
  },
  PipelineFailed: {
    tries: 1,
    exitCode: 1,
    remedy: 'Read the log of the job that the message names, correct the cause, and run the pipeline again.',
  },
  PolicyViolation: {
    tries: 1,
    exitCode: 9,
    remedy: 'Add the required steps to the pipeline, or change the policy of the repository.',
  },
  PromotionRefused: {
    tries: 1,
    exitCode: 9,
    remedy: 'Do what each gate that failed says; `longhaul generation promote --dry-run` shows all of them.',
  },
  RollbackIncomplete: {
    tries: 1,
    exitCode: 10,
    remedy: 'Undo by hand what the message lists: the flow could not, and a person ended it.',
  },
  NotAllowedHere: {
    tries: 1,
    exitCode: 9,
    remedy: 'The owner of the machine allows it under `host` in its longhaul.yaml, or the plan leaves it out.',
  },
  WorkspaceBusy: {
    tries: null,
    exitCode: 1,
    remedy: 'Follow the other run with `longhaul watch`, and start again when it has ended.',
  },
  PlanPreconditionFailed: {
    tries: 1,
    exitCode: 9,
    remedy: 'Do what each line says that fails, and make the plan again.',
  },
  GenerationDiffers: {
    tries: 1,
    exitCode: 9,
    remedy: 'Correct the contract, or use another version.',
  },
  GateNotFound: { tries: 1, exitCode: 6, remedy: 'List the open gates with `longhaul inbox`.' },
  GateClosed: { tries: 1, exitCode: 1, remedy: 'Nothing to do: `longhaul inbox` lists the gates that are open.' },
  GateChanged: {
    tries: 1,
    exitCode: 1,
    remedy: 'Look at what is asked now (`longhaul inbox`), and decide that.',
  },
  NotAnApprover: {
    tries: 1,
    exitCode: 9,
    remedy: 'Ask one of the people whom `longhaul inbox` names, or let one delegate to you with `longhaul delegate`.',
  },
  RequestUnproved: {
    tries: 1,
    exitCode: 9,
    remedy:
      'Start it again as a person: set LONGHAUL_PERSON_KEY, so that the command line asks the gateway, which records who you are.',
  },
  OwnRequest: { tries: 1, exitCode: 9, remedy: 'Let another person decide.' },
  DelegationExpired: {
    tries: 1,
    exitCode: 9,
    remedy: 'Let the person delegate again with a later end: `longhaul delegate NAME --until TIME`.',
  },
  EvolutionEnded: {
    tries: 1,
    exitCode: 1,
    remedy: 'Start another evolution of the change: `longhaul evolution start`.',
  },
  TagConflict: {
    tries: 1,
    exitCode: 1,
    remedy: 'Find out who made the tag on the remote; delete it there, or start another evolution.',
  },
  BranchConflict: {
    tries: 1,
    exitCode: 1,
    remedy: 'Look at the branch on the remote; rename or delete it there, or continue on it by hand.',
  },
  PushRefused: {
    tries: 1,
    exitCode: 1,
    remedy:
      'Give the token of the provider the right to push branches and tags, and look for a protection rule; or push the branch of the commit first.',
  },
  PipelineBusy: {
    tries: 1,
    exitCode: 1,
    remedy: 'Follow the other run with `longhaul watch`, and start again when it has ended.',
  },
  EnvironmentBusy: {
    tries: 1,
    exitCode: 1,
    remedy: 'Follow the other deployment with `longhaul watch`, and start again when it has ended.',
  },
  DeploymentRefused: {
    tries: 1,
    exitCode: 9,
    remedy: 'Do what each sentence of the message says; `longhaul deploy --dry-run` shows the plan.',
  },
  DeploymentReplaced: {
    tries: 1,
    exitCode: 1,
    remedy: 'Nothing to do: a newer deployment to the same environment took its place, and everything was put back.',
  },
  DeploymentUnhealthy: {
    tries: 1,
    exitCode: 11,
    remedy: 'Everything was put back: `longhaul deployments show` has the samples and the reason. Correct the release.',
  },
  ProgramFailed: {
    tries: 1,
    exitCode: 1,
    remedy: 'Read what the program said, correct its repository or the machine, and apply the plan again.',
  },
  UndoFailed: {
    tries: 1,
    exitCode: 10,
    remedy: 'Correct the cause that the message names for each object, and run `longhaul repair`, which tries again.',
  },
  LedgerOutdated: { tries: 1, exitCode: 3, remedy: 'Run `longhaul db migrate`; `longhaul up` also does it.' },
  LedgerNewer: {
    tries: 1,
    exitCode: 3,
    remedy: 'Use the version of Longhaul that migrated the database, or a newer one.',
  },
  LedgerChanged: {
    tries: 1,
    exitCode: 3,
    remedy:
      'Use the version of Longhaul that migrated the database: released migrations never change, so one of the two was edited.',
  },
  LedgerBusy: {
    tries: 1,
    exitCode: 3,
    remedy:
      'Migrate again when these sessions have ended, or end one as the administrator: `SELECT pg_terminate_backend(…)` with its process.',
  },
  QueryStopped: { tries: 1, exitCode: 1, remedy: 'Select fewer rows or columns, or aggregate them in the query.' },
  AuditDiffers: {
    tries: 1,
    exitCode: 7,
    remedy:
      'Find out who had access to the database, and compare with a backup from before: events are never changed by Longhaul.',
  },
  AlertNotSent: {
    tries: 6,
    exitCode: 4,
    remedy:
      'Check the alert channel that the message names (alerts.channels in longhaul.yaml); the next run tries again.',
  },
  SandboxUnusable: {
    tries: 1,
    exitCode: 3,
    remedy:
      'Install bubblewrap 0.8 or later (`apt-get install bubblewrap`) on a Linux that allows user namespaces, or set pipelines.sandbox to none in longhaul.yaml: docs/pipelines.md#isolation.',
  },
  NetworkNotAllowed: {
    tries: 1,
    exitCode: 2,
    remedy: 'Let the job do without a network, or set pipelines.network to true in longhaul.yaml of its worker.',
  },
  SecretNotAllowed: {
    tries: 1,
    exitCode: 2,
    remedy:
      'Take the name out of the pipeline, or allow it for the repository: pipelines.secrets in longhaul.yaml of the worker of the role pipelines.',
  },
  KubectlUnusable: {
    tries: 1,
    exitCode: 3,
    remedy: 'Install kubectl on the machine of the worker, on the PATH of its process, or name it as deploy.kubectl.',
  },
  KubectlFailed: {
    tries: 4,
    exitCode: 1,
    remedy: 'Read the message of kubectl, and run the command by hand in the same context.',
  },
  ClusterUnavailable: {
    tries: null,
    exitCode: 4,
    remedy: 'Check that the worker can reach the cluster of the context that the message names: the flow waits for it.',
  },
  ClusterForbids: {
    tries: 1,
    exitCode: 5,
    remedy: 'Give the account of the context in the message the permission that it names.',
  },
  ClusterRejected: {
    tries: 1,
    exitCode: 1,
    remedy: 'Correct the object that the message names in its manifest.',
  },
  ObjectChanged: {
    tries: 5,
    exitCode: 1,
    remedy: 'Nothing to do: the step reads the object again.',
  },
  // of an attempt that Temporal has given up; one that it has not is scheduled again, and is the latest then
  StepTakenOver: {
    tries: null,
    exitCode: 1,
    remedy: 'Nothing to do: a later attempt of the deployment, or a later deployment, changes the same service.',
  },
  DriftDetected: {
    tries: 1,
    exitCode: 1,
    remedy:
      'Decide who owns the fields that the message names: leave them out of the manifest, or let their manager give them up.',
  },
  Cancelled: {
    tries: 1,
    exitCode: 1,
    remedy: 'Start it again when needed: it continues from the receipts.',
  },
  ServerUnavailable: { tries: null, exitCode: 4, remedy: 'Run `longhaul doctor`.' },
  StackFailed: { tries: 1, exitCode: 3, remedy: 'Run `longhaul doctor`.' },
  SomeRepositoriesFailed: {
    tries: 1,
    exitCode: 1,
    remedy: 'Fix what each line names and run the same command again: it repeats only what failed.',
  },
} as const satisfies Record<string, { tries: number | null; exitCode: number; remedy: string }>;

/** The name of a failure, as Temporal shows it in `ApplicationFailure.type`. */
export type FailureType = keyof typeof FAILURES;

/** True when `type` is one of {@link FAILURES}. */
export function isFailureType(type: unknown): type is FailureType {
  return typeof type === 'string' && Object.hasOwn(FAILURES, type);
}

/** True for a failure by which the rules, or a person, did not allow something; false when something broke. */
export function isRefusal(type: string): boolean {
  return (
    isFailureType(type) && FAILURES[type].tries === 1 && FAILURES[type].exitCode !== 3 && type !== 'RollbackIncomplete'
  );
}

/** How often an unexpected error is tried. */
export const TRIES_WHEN_UNEXPECTED = 5;

/**
 * Milliseconds from the schedule to the end of an activity that finishes what is decided: a failure that may pass is
 * repeated for as long as it takes, whatever its number of tries.
 */
export const LASTING_MS = 3_650 * 86_400_000;

/** The types that Temporal's retry policies must not retry. */
export const NON_RETRYABLE: readonly FailureType[] = (Object.keys(FAILURES) as FailureType[]).filter(
  (type) => FAILURES[type].tries === 1,
);

/** Longer waits are cut to a day; clocks cannot represent some of the requested ones. */
const LONGEST_WAIT_MS = 86_400_000;

/**
 * An anticipated failure, outside Temporal. Adapters throw it with a sentence that says what is wrong and where; the
 * worker turns it into an `ApplicationFailure` of the same type, the command line into a message and an exit code.
 */
export class LonghaulError extends Error {
  /** The kind of failure: decides the exit code, and how often it is tried again. */
  readonly type: FailureType;
  /** Milliseconds to wait before the next try, if the server gave it (`retry-after`); a day at most. */
  readonly retryAfterMs: number | undefined;
  /** The server that asked to wait, as a person knows it: `github.com`. */
  readonly waitingFor: string | undefined;

  constructor(
    type: FailureType,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number; waitingFor?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LonghaulError';
    this.type = type;
    const { retryAfterMs } = options;
    this.retryAfterMs = retryAfterMs === undefined ? undefined : Math.min(retryAfterMs, LONGEST_WAIT_MS);
    this.waitingFor = options.waitingFor;
  }
}

const DISK_ERRORS = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'];

/** The named failure for a system error caused by a full or broken disk; null for any other error. */
export function diskFailure(error: unknown): LonghaulError | null {
  if (!(error instanceof Error) || !('code' in error) || !DISK_ERRORS.includes(String(error.code))) return null;
  return new LonghaulError('DiskFailed', `The disk is full or cannot be used: ${error.message}.`, { cause: error });
}
