import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';

/** Interval of heartbeats without progress reports, such as during a long fetch. */
const HEARTBEAT_MS = 5_000;

/** How an activity's heartbeats are made. */
export interface HeartbeatingOptions {
  /**
   * Whether the work is aborted when this process was away for so long that another worker may have begun it: it stood
   * still with its machine, for example. For work that must not be done after it was undone. @default false
   */
  readonly endsWhenAway?: boolean;
}

/** Runs an activity's work with a heartbeat every few seconds and the activity's cancellation signal. */
export async function heartbeating<Result>(
  work: (signal: AbortSignal, report: (details: unknown) => void) => Promise<Result>,
  { endsWhenAway = false }: HeartbeatingOptions = {},
): Promise<Result> {
  let details: unknown;
  const { heartbeatTimeoutMs = Number.POSITIVE_INFINITY } = activityInfo();
  const everyMs = Math.min(HEARTBEAT_MS, heartbeatTimeoutMs / 3);
  const away = new AbortController();
  // the clock of the wall: another one may stand still with the machine
  let last = Date.now();
  const timer = setInterval(() => {
    const gap = Date.now() - last;
    last += gap;
    // the server has had the last one so much later at the most
    if (endsWhenAway && gap > heartbeatTimeoutMs - everyMs) {
      away.abort(new Error(`This process was away for ${Math.round(gap / 1_000)} s: another worker may do its work.`));
    }
    heartbeat(details);
  }, everyMs);
  try {
    const signal = endsWhenAway ? AbortSignal.any([cancellationSignal(), away.signal]) : cancellationSignal();
    return await work(signal, (progress) => {
      details = progress;
      heartbeat(progress);
    });
  } finally {
    clearInterval(timer);
  }
}
