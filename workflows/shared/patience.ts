import { ActivityFailure, ApplicationFailure, sleep } from '@temporalio/workflow';
import type { Waiting } from '../../domain/shared/progress.ts';

const FIRST_MS = 10_000;
const LONGEST_MS = 300_000;

/**
 * Runs the work; when it fails because a server asks to wait (`RateLimited`), waits that long, visibly, and runs it
 * again. The activity must not retry that itself.
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
      // retries become less frequent while a server keeps asking for short waits
      const ms = Math.max(asked.ms, Math.min(FIRST_MS * 2 ** times, LONGEST_MS));
      show({ for: asked.by, until: new Date(Date.now() + ms).toISOString() });
      await sleep(ms, { summary: `waiting for ${asked.by}` });
      show(null);
    }
  }
}

/** The server that asked to wait, and for how long, from a failure. */
function askedToWait(error: unknown): { readonly by: string; readonly ms: number } | null {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (!(cause instanceof ApplicationFailure) || cause.type !== 'RateLimited') return null;
  const [{ waitingFor = 'the other side', retryAfterMs = 0 } = {}] = (cause.details ?? []) as {
    waitingFor?: string;
    retryAfterMs?: number;
  }[];
  return { by: waitingFor, ms: retryAfterMs };
}
