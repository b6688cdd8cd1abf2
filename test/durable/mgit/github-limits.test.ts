import { expect, test } from 'vitest';
import { place, manyNames, patiently } from '../../support/github-place.ts';

test(
  '1,000 repositories are listed and looked up within tight limits and despite faults',
  { timeout: 180_000 },
  async () => {
    const limits = { concurrency: 3, restPerMinute: 60, graphqlPerMinute: 60, hourly: { limit: 14, ms: 15_000 } };
    const { forge, open, commit } = await place(manyNames(1_000, 20), { limits });
    const faults = [
      'cut',
      { status: 502, message: 'Bad gateway' },
      { delayMs: 700 },
      { status: 503, message: '' },
    ] as const;
    let asked = 0;
    forge.refuse = () => (asked++ % 4 === 2 ? (faults[(asked >> 2) % faults.length] ?? null) : null);
    const config = { limits: { concurrency: 3, restPerMinute: 60, graphqlPerMinute: 60 } };
    const { result, waits } = await patiently(() => open({ config }).list(['*']));
    expect(result).toHaveLength(1_000);
    const heads = (await patiently(() => open({ config }).heads(result))).result;
    expect([...heads.values()].filter((head) => head instanceof Error || head.commit !== commit)).toEqual([]);
    expect(heads.size).toBe(1_000);
    expect(forge.enforcement?.violations).toEqual([]);
    expect(forge.enforcement?.mostAtOnce()).toBeGreaterThan(1);
    expect(waits.length).toBeGreaterThan(0);
  },
);
