/**
 * Every failure that a flow can end with, by its Temporal `ApplicationFailure.type`: how often it is worth trying (1: not
 * again; null: for as long as the flow allows, because only waiting helps), the exit code of the command line, and what the
 * operator should do. One table, so that workers, the command line and the documentation never disagree.
 */
export const FAILURES = {
  InvalidInput: { tries: 1, exitCode: 2, remedy: 'Correct the input that the message names and start again.' },
  InvalidConfiguration: {
    tries: 1,
    exitCode: 2,
    remedy: 'Correct the file and key that the message names.',
  },
  AuthenticationFailed: {
    tries: 1,
    exitCode: 5,
    remedy:
      'Give a token or key that is valid to what the message names (tokenEnv or apiKeyEnv in longhaul.yaml); a token must be allowed to read these repositories.',
  },
  RepositoryNotFound: {
    tries: 1,
    exitCode: 6,
    remedy:
      'Check the id with `longhaul repos list`; if the repository is gone, remove it with `longhaul index remove`.',
  },
  RateLimited: {
    tries: null,
    exitCode: 4,
    remedy: 'Nothing: the flow waits as long as the other side asks and goes on.',
  },
  DiscoveryFailed: {
    tries: 5,
    exitCode: 4,
    remedy: 'Check that the provider can be reached from the worker.',
  },
  GitFailed: { tries: 4, exitCode: 4, remedy: 'Check that the remote can be reached and read by the worker.' },
  SchemaMismatch: {
    tries: 1,
    exitCode: 3,
    remedy:
      'Build the index anew with `longhaul index reembed`; or, when something else made the collection, use another index.name.',
  },
  IndexIncomplete: {
    tries: 4,
    exitCode: 1,
    remedy: 'Run the sync again: the old receipt was kept, and the next run repairs the difference.',
  },
  IndexDiffers: {
    tries: 1,
    exitCode: 7,
    remedy:
      'Mend it with `longhaul index verify --all --full --repair` (without --full it sees numbers only); what that leaves is named with its reason.',
  },
  DiskFailed: {
    tries: 4,
    exitCode: 3,
    remedy:
      'Give the folders of the worker space and a disk that works (`longhaul doctor` names them), and start again: the old receipt was kept.',
  },
  BlobNotFound: {
    tries: 1,
    exitCode: 6,
    remedy:
      'Let the worker and the command line use one blob store (`blobs` in longhaul.yaml), and give the content again: a stream with `longhaul index stdin`.',
  },
  BlobDamaged: {
    tries: 1,
    exitCode: 3,
    remedy:
      'Give the content again, which replaces it: a stream with `longhaul index stdin`; and look at the disk or bucket.',
  },
  RecordExists: {
    tries: 1,
    exitCode: 1,
    remedy: 'Compare the two: records are never rewritten, so one of the writers is wrong about what happened.',
  },
  // the run that took the place may be an earlier try of the same work, whose answer was lost: the next one finds it done
  RepositoryBusy: {
    tries: 4,
    exitCode: 1,
    remedy: 'Another run works on this repository: start again when `longhaul watch sync/<repository id>` has ended.',
  },
  IndexBusy: {
    tries: 1,
    exitCode: 1,
    remedy: '`longhaul watch index-builds` shows it, and asks what it waits for; start again when it has ended.',
  },
  BuildIsWorse: {
    tries: 1,
    exitCode: 8,
    remedy:
      'Look at the queries that got worse; go over all the same with `longhaul index switch`, or drop the build with `longhaul index prune`.',
  },
  AlertNotSent: {
    tries: 6,
    exitCode: 4,
    remedy:
      'Check the alert channel that the message names (alerts.channels in longhaul.yaml); the next look tries again.',
  },
  Cancelled: {
    tries: 1,
    exitCode: 1,
    remedy: 'Start it again when it is wanted: receipts tell where it goes on.',
  },
  ServerUnavailable: { tries: null, exitCode: 4, remedy: 'Run `longhaul doctor`.' },
  StackFailed: { tries: 1, exitCode: 3, remedy: 'Run `longhaul doctor`.' },
  SomeRepositoriesFailed: {
    tries: 1,
    exitCode: 1,
    remedy: 'Mend what each line names and run the same command again: only what failed is done again.',
  },
} as const satisfies Record<string, { tries: number | null; exitCode: number; remedy: string }>;

/** The name of a failure, as Temporal shows it in `ApplicationFailure.type`. */
export type FailureType = keyof typeof FAILURES;

/** True when `type` is one of {@link FAILURES}. */
export function isFailureType(type: unknown): type is FailureType {
  return typeof type === 'string' && Object.hasOwn(FAILURES, type);
}

/** How often an error that nobody anticipated is tried. */
export const TRIES_WHEN_UNEXPECTED = 5;

/** The types that Temporal's retry policies must not retry. */
export const NON_RETRYABLE: readonly FailureType[] = (Object.keys(FAILURES) as FailureType[]).filter(
  (type) => FAILURES[type].tries === 1,
);

/** Whoever asks for more is asked again after a day; no clock could show what some ask for. */
const LONGEST_WAIT_MS = 86_400_000;

/**
 * An anticipated failure, outside Temporal. Adapters throw it with a sentence that names what is wrong and where; the
 * worker turns it into an `ApplicationFailure` of the same type, the command line into a message and an exit code.
 */
export class LonghaulError extends Error {
  /** The kind of failure: decides the exit code, and how often it is tried again. */
  readonly type: FailureType;
  /** Milliseconds to wait before the next try, when the other side said so (`retry-after`); a day at most. */
  readonly retryAfterMs: number | undefined;
  /** Who asks to wait, as a person knows it: `github.com`. */
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

/** The named failure for an error of the system that a full or broken disk is the reason of; null for any other error. */
export function diskFailure(error: unknown): LonghaulError | null {
  if (!(error instanceof Error) || !('code' in error) || !DISK_ERRORS.includes(String(error.code))) return null;
  return new LonghaulError('DiskFailed', `The disk is full or cannot be used: ${error.message}.`, { cause: error });
}
