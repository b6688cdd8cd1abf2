/** How to wait for something that another process holds. All in milliseconds. */
export interface Pauses {
  readonly shortestMs: number;
  readonly longestMs: number;
  /** The wait ends after this long. */
  readonly withinMs: number;
}

/**
 * How long to wait until the next attempt, in milliseconds, after having waited this long: twice that, so that a long
 * wait costs few attempts. Null when the time is used up. It depends on the time only, so that a recorded run replays.
 */
export function pauseAfter(waitedMs: number, { shortestMs, longestMs, withinMs }: Pauses): number | null {
  if (waitedMs >= withinMs) return null;
  return Math.min(Math.max(2 * waitedMs, shortestMs), longestMs, withinMs - waitedMs);
}
