import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as table } from 'vitest';
import { type FleetPlan, pageOf, planOnboarding, planSync } from '../../../domain/catalog/plan.ts';
import { NO_OBJECTS, type Receipt } from '../../../domain/catalog/receipt.ts';
import { LonghaulError } from '../../../domain/failures.ts';

function receipt(repository: string, change: Partial<Receipt> = {}): Receipt {
  return {
    repository,
    ref: 'HEAD',
    cloneUrl: `/repositories/${repository}`,
    commit: 'a'.repeat(40),
    tree: 'b'.repeat(40),
    branch: 'main',
    timestamp: null,
    digest: 'now',
    files: 1,
    objects: 1,
    xor: NO_OBJECTS,
    indexedAt: '2026-01-01T00:00:00.000Z',
    pending: null,
    ...change,
  };
}

const HEAD = { commit: 'a'.repeat(40), branch: 'main' };

describe('what a sync does', () => {
  table.for([
    ['nothing when HEAD is where the receipt is', {}, HEAD, false],
    ['work when HEAD moved', {}, { ...HEAD, commit: 'c'.repeat(40) }, true],
    ['work when the default branch has another name', {}, { ...HEAD, branch: 'trunk' }, true],
    ['work when the last run did not finish', { pending: { ...HEAD, tree: '', timestamp: null } }, HEAD, true],
    ['work when chunker or model changed', { digest: 'before' }, HEAD, true],
    ['work when the first run never finished', { commit: '' }, { ...HEAD, commit: '' }, true],
  ] as const)('%s', ([, change, head, works]) => {
    const plan = planSync([receipt('p/o/r', change)], new Map([['p/o/r', head]]), 'now');
    expect(plan.work.map(({ id }) => id)).toEqual(works ? ['p/o/r'] : []);
    expect(plan.upToDate).toEqual(works ? [] : ['p/o/r']);
  });

  test('a repository that cannot be asked is a failure, never up to date', () => {
    const refused = new LonghaulError('AuthenticationFailed', 'The token was refused.');
    const plan = planSync([receipt('p/o/a'), receipt('p/o/b')], new Map([['p/o/a', refused]]), 'now');
    expect(plan.work).toEqual([]);
    expect(plan.upToDate).toEqual([]);
    expect(plan.failures.map(({ repository, type }) => [repository, type])).toEqual([
      ['p/o/a', 'AuthenticationFailed'],
      ['p/o/b', 'GitFailed'],
    ]);
  });
});

test('an onboarding takes what is not completely indexed', () => {
  const found = ['p/o/new', 'p/o/done', 'p/o/half'].map((id) => ({ id, cloneUrl: id }));
  const receipts = new Map([
    ['p/o/done', receipt('p/o/done')],
    ['p/o/half', receipt('p/o/half', { commit: '' })],
  ]);
  const plan = planOnboarding(found, receipts, 'now');
  expect(plan.work.map(({ id }) => id)).toEqual(['p/o/half', 'p/o/new']);
  expect(plan.upToDate).toEqual(['p/o/done']);
});

describe('pages', () => {
  const ids = fc.uniqueArray(fc.stringMatching(/^p\/o\/[a-z]{1,4}$/), { maxLength: 40 });

  test.prop([ids, ids, fc.integer({ min: 1, max: 7 })])('cover everything once, in order', (work, others, limit) => {
    const upToDate = others.filter((id) => !work.includes(id));
    const plan: FleetPlan = {
      matched: work.length + upToDate.length,
      work: [...work].sort().map((id) => ({ id, cloneUrl: id })),
      upToDate,
      failures: [],
    };
    const seen: string[] = [];
    let skipped = 0;
    let after: string | null = null;
    do {
      const page = pageOf(plan, after, limit);
      expect(page.repositories.length).toBeLessThanOrEqual(limit);
      seen.push(...page.repositories.map(({ id }) => id));
      skipped += page.upToDate;
      after = page.next;
    } while (after !== null);
    expect(seen).toEqual([...work].sort());
    expect(skipped).toBe(upToDate.length);
  });
});
