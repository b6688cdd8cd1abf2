import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { type FleetPage, type FleetPlan, pageOf } from '../../../domain/fleet/plan.ts';

describe('pages', () => {
  const ids = fc.uniqueArray(fc.stringMatching(/^p\/o\/[a-z]{1,4}$/), { maxLength: 40 });

  test.prop([ids, ids, fc.integer({ min: 1, max: 7 })])('cover everything once, in order', (work, others, limit) => {
    const upToDate = others.filter((id) => !work.includes(id));
    const plan: FleetPlan = {
      matched: work.length + upToDate.length,
      work: [...work].sort().map((id) => ({ id })),
      upToDate,
      failures: [],
    };
    const seen: string[] = [];
    let skipped = 0;
    let after: string | null = null;
    do {
      const page: FleetPage = pageOf(plan, { after, limit });
      expect(page.repositories.length).toBeLessThanOrEqual(limit);
      seen.push(...page.repositories.map(({ id }) => id));
      skipped += page.upToDate;
      after = page.next;
    } while (after !== null);
    expect(seen).toEqual([...work].sort());
    expect(skipped).toBe(upToDate.length);
  });

  test('contain as many shortened failures as fit into one result, and count the rest', () => {
    const failures = Array.from({ length: 6_000 }, (_, at) => ({
      repository: `p/o/r${at}`,
      type: 'GitFailed' as const,
      error: 'x'.repeat(5_000),
    }));
    const page = pageOf({ matched: 6_000, work: [], upToDate: [], failures }, { after: null, limit: 500 });
    expect(page).toMatchObject({ failed: 6_000, next: null });
    expect(page.failures).toHaveLength(200);
    expect(JSON.stringify(page).length).toBeLessThan(256 * 1024);
  });
});
