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
      const request = waitRequestOf(error);
      if (request === null) throw error;
      // retries become less frequent while a server keeps asking for short waits
      const ms = Math.max(request.ms, Math.min(FIRST_MS * 2 ** times, LONGEST_MS));
      show({ for: request.server, until: new Date(Date.now() + ms).toISOString() });
      await sleep(ms, { summary: `waiting for ${request.server}` });
      show(null);
    }
  }
}

/** The server that asked to wait, and for how long, from a failure. */
function waitRequestOf(error: unknown): { readonly server: string; readonly ms: number } | null {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (!(cause instanceof ApplicationFailure) || cause.type !== 'RateLimited') return null;
  const [{ waitingFor = 'the server', retryAfterMs = 0 } = {}] = (cause.details ?? []) as {
    waitingFor?: string;
    retryAfterMs?: number;
  }[];
  return { server: waitingFor, ms: retryAfterMs };
}
