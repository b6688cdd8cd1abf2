import { cancellationSignal, heartbeat } from '@temporalio/activity';

/** Interval of heartbeats without progress reports, such as during a long fetch. */
const HEARTBEAT_MS = 5_000;

/** Runs an activity's work with a heartbeat every few seconds and the activity's cancellation signal. */
export async function heartbeating<Result>(
  work: (signal: AbortSignal, report: (details: unknown) => void) => Promise<Result>,
): Promise<Result> {
  let details: unknown;
  const timer = setInterval(() => heartbeat(details), HEARTBEAT_MS);
  try {
    return await work(cancellationSignal(), (progress) => {
      details = progress;
      heartbeat(progress);
    });
  } finally {
    clearInterval(timer);
  }
}
