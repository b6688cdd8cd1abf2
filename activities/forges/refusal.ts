import { LonghaulError } from '../../domain/shared/failures.ts';

/** An error answer of a forge. */
export interface ForgeRefusal {
  /** The provider's name in `longhaul.yaml`. */
  readonly provider: string;
  readonly status: number;
  readonly headers: Headers;
  /** The forge's own message, without secrets. */
  readonly said: string;
}

/** Wait when a forge asks to wait without a duration. */
export const DEFAULT_WAIT_MS = 60_000;
/** Longer waits are cut to a day; clocks cannot represent some of the requested ones. */
export const LONGEST_WAIT_MS = 86_400_000;

/**
 * The failure for a refusal: `RateLimited` with the time to wait, `AuthenticationFailed` for an insufficient token,
 * `DiscoveryFailed` for the rest.
 */
export function failureOfRefusal({ provider, status, headers, said }: ForgeRefusal): LonghaulError {
  const wait = waitOf(status, headers);
  if (wait !== null) {
    return new LonghaulError(
      'RateLimited',
      `Provider ${provider} asks to wait ${Math.ceil(wait / 1_000)} s: ${said || status}`,
      { retryAfterMs: wait },
    );
  }
  return failureOfStatus(provider, status, said);
}

/**
 * The failure for a refusal without a wait: `AuthenticationFailed` for an insufficient token, `DiscoveryFailed` for the
 * rest. `said` is the forge's own message, without secrets.
 */
export function failureOfStatus(provider: string, status: number, said: string, cause?: Error): LonghaulError {
  const isToken = status === 401 || status === 403;
  const what = isToken ? 'refused the token' : 'did not answer';
  const type = isToken ? 'AuthenticationFailed' : 'DiscoveryFailed';
  return new LonghaulError(type, `Provider ${provider} ${what} (${status}): ${said}`, cause && { cause });
}

/** Milliseconds that a forge asks to wait; null when it does not ask. */
export function waitOf(status: number, headers: Headers): number | null {
  if (status !== 429 && status !== 403 && status !== 503) return null;
  const after = headers.get('retry-after');
  if (after !== null) return retryAfterMs(after);
  if (status === 503) return null;
  // GitLab's names and the usual ones; the reset is in seconds since 1970
  const remaining = headers.get('ratelimit-remaining') ?? headers.get('x-ratelimit-remaining');
  const reset = headers.get('ratelimit-reset') ?? headers.get('x-ratelimit-reset');
  if (remaining === '0' && reset !== null) return withinReason(Number(reset) * 1_000 - Date.now());
  return status === 429 ? DEFAULT_WAIT_MS : null;
}

/** Milliseconds in a `retry-after` header, given in seconds or as a date: from a second to a day. */
export function retryAfterMs(after: string): number {
  return withinReason(/^\d+$/.test(after) ? Number(after) * 1_000 : Date.parse(after) - Date.now());
}

function withinReason(ms: number): number {
  return Number.isNaN(ms) ? DEFAULT_WAIT_MS : Math.min(Math.max(ms, 1_000), LONGEST_WAIT_MS);
}
