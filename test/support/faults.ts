import type { Fault } from './forge.ts';

/** Faults of any request to a forge. */
export const FAULTS: readonly Fault[] = [
  'cut',
  { status: 502, message: 'Bad gateway' },
  { delayMs: 400 },
  { status: 503, message: '' },
];

/**
 * Faults of API requests, including refusals. Git does not expose headers: for git, 403 means no access, and 429 a
 * minute.
 */
export const API_FAULTS: readonly Fault[] = [
  ...FAULTS,
  { status: 429, message: 'Slow down', headers: { 'retry-after': '1' } },
  { status: 403, message: 'You have exceeded a secondary rate limit.', headers: { 'retry-after': '1' } },
];

/** Every n-th request has the next one of these faults. */
export function every(nth: number, faults: readonly Fault[]): () => Fault | null {
  let asked = 0;
  return () => (++asked % nth === 0 ? (faults[(asked / nth) % faults.length] ?? null) : null);
}
