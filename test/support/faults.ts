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

/**
 * Every n-th request gets the next of these faults. `mostOfOne` is the most faults of one repository: which requests
 * are hit depends on their order, and no repository may be hit in all its tries.
 */
export function every(
  nth: number,
  faults: readonly Fault[],
  { mostOfOne = Infinity }: { readonly mostOfOne?: number } = {},
): (request: string) => Fault | null {
  let asked = 0;
  const hits = new Map<string, number>();
  return (request) => {
    if (++asked % nth !== 0) return null;
    const repository = /^\S+ (\/.+)\.git\//.exec(request)?.[1] ?? '';
    const hit = hits.get(repository) ?? 0;
    if (hit >= mostOfOne) return null;
    hits.set(repository, hit + 1);
    return faults[(asked / nth) % faults.length] ?? null;
  };
}
