import { ActivityFailure, ApplicationFailure, sleep } from '@temporalio/workflow';

/** What a flow waits for. */
export interface Waiting {
  /** As a person knows it: `github.com`. */
  readonly for: string;
  /** ISO 8601. */
  readonly until: string;
}

const FIRST_MS = 10_000;
const LONGEST_MS = 300_000;

/**
 * Does the work; when it fails because the other side asks to wait (`RateLimited`), waits as long, where everybody sees it, and
 * does it again. The activity must not retry that by itself.
 */
export async function patiently<Result>(
  work: () => Promise<Result>,
  show: (waiting: Waiting | null) => void,
): Promise<Result> {
  for (let times = 0; ; times++) {
    try {
      return await work();
    } catch (error) {
      const asked = askedToWait(error);
      if (asked === null) throw error;
      // somebody who asks for a second, a thousand times, is asked less and less often
      const ms = Math.max(asked.ms, Math.min(FIRST_MS * 2 ** times, LONGEST_MS));
      show({ for: asked.by, until: new Date(Date.now() + ms).toISOString() });
      await sleep(ms, { summary: `waiting for ${asked.by}` });
      show(null);
    }
  }
}

/** Of a failure that asks to wait: who does, and for how long. */
function askedToWait(error: unknown): { readonly by: string; readonly ms: number } | null {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (!(cause instanceof ApplicationFailure) || cause.type !== 'RateLimited') return null;
  const [{ waitingFor = 'the other side', retryAfterMs = 0 } = {}] = (cause.details ?? []) as {
    waitingFor?: string;
    retryAfterMs?: number;
  }[];
  return { by: waitingFor, ms: retryAfterMs };
}
