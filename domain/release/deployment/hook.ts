/** Names a hook of a service, as its environment declares it. */
export interface HookOfService {
  readonly service: string;
  /** Before the objects of the service are applied, or when they are ready. */
  readonly when: 'before' | 'after';
  /** Its name. */
  readonly hook: string;
  /** `down` takes back what it did. */
  readonly direction: 'up' | 'down';
}

/** How a hook ended. A failure of its program is such a result. */
export interface HookResult {
  /** True when it exited with 0. */
  readonly ok: boolean;
  /** Null when a signal or Longhaul ended it. */
  readonly exitCode: number | null;
  /** The signal or the limit that ended it; null when it ended by itself. */
  readonly ended: string | null;
  /** Digest of its output in the blob store, without secrets. */
  readonly log: string;
  readonly seconds: number;
  /** The last lines of its output, without secrets. */
  readonly said: string;
}

/** Consecutive attempts of a health check with the same outcome. */
export interface CheckSpan {
  /** `service: check`. */
  readonly name: string;
  readonly ok: boolean;
  /** Why they failed: the first of them. Empty when they did not. */
  readonly why: string;
  readonly attempts: number;
  /** When the first and the last one ended, by the clock of the worker, ISO 8601. */
  readonly from: string;
  readonly to: string;
}

/** What the health checks by programs said. */
export interface ProgramsWatched {
  /** Why the deployment must be rolled back; null when it stays. */
  readonly breach: string | null;
  /** The checks whose last attempt failed, and why. */
  readonly failing: readonly string[];
  readonly attempts: number;
  /** The last spans, in the order of their beginning. */
  readonly spans: readonly CheckSpan[];
}

/** Spans of a result, which is a part of a history. */
export const MOST_SPANS = 150;

/** The spans with one more attempt. */
export function withAttempt(
  spans: readonly CheckSpan[],
  { at, ...attempt }: Pick<CheckSpan, 'name' | 'ok' | 'why'> & { readonly at: string },
): readonly CheckSpan[] {
  const last = spans.findLastIndex(({ name }) => name === attempt.name);
  const span = spans[last];
  if (span !== undefined && span.ok === attempt.ok) {
    return spans.with(last, { ...span, attempts: span.attempts + 1, to: at });
  }
  return [...spans, { ...attempt, attempts: 1, from: at, to: at }].slice(-MOST_SPANS);
}

/** Variables that Longhaul sets for the programs of a deployment (docs/deploy.md). */
export function deploymentVariables(given: {
  readonly repository: string;
  readonly commit: string;
  readonly environment: string;
  readonly service: string;
  readonly deployment?: string;
}): Readonly<Record<string, string>> {
  return {
    LONGHAUL: 'true',
    LONGHAUL_REPOSITORY: given.repository,
    LONGHAUL_COMMIT: given.commit,
    LONGHAUL_ENVIRONMENT: given.environment,
    LONGHAUL_SERVICE: given.service,
    ...(given.deployment === undefined ? {} : { LONGHAUL_DEPLOYMENT: given.deployment }),
  };
}
