/** Counts the requests of one key. */
export interface RateLimit {
  /** Counts one request at `now` (ms). Null when it is allowed, otherwise the seconds until one is. */
  take(now: number): number | null;
}

/**
 * A token bucket with the requests of a minute that refills evenly: it allows a burst of that many, then one after
 * another.
 */
export function createRateLimit(requestsPerMinute: number): RateLimit {
  const perMs = requestsPerMinute / 60_000;
  let left = requestsPerMinute;
  let since: number | null = null;
  return {
    take(now) {
      left = Math.min(requestsPerMinute, left + Math.max(0, now - (since ?? now)) * perMs);
      since = now;
      if (left < 1) return Math.ceil((1 - left) / perMs / 1_000);
      left -= 1;
      return null;
    },
  };
}
