import { test } from '@fast-check/vitest';
import { describe, expect, test as table } from 'vitest';
import {
  movesOf,
  planOnboarding,
  planSync,
  planVerification,
  possibleMoves,
} from '../../../../domain/catalog/index/plan.ts';
import { NO_OBJECTS, type Receipt } from '../../../../domain/catalog/index/receipt.ts';
import type { Repository, Whereabouts } from '../../../../domain/git/repository.ts';
import { LonghaulError } from '../../../../domain/shared/failures.ts';

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
    [
      'work when the first run never finished',
      { commit: '', pending: { ...HEAD, tree: '', timestamp: null } },
      HEAD,
      true,
    ],
    ['nothing to what is being removed', { commit: '' }, HEAD, false],
  ] as const)('%s', ([, change, head, works]) => {
    const plan = planSync([receipt('p/o/r', change)], new Map([['p/o/r', head]]), 'now');
    expect(plan.work.map(({ id }) => id)).toEqual(works ? ['p/o/r'] : []);
    expect(plan.upToDate).toEqual(works ? [] : ['p/o/r']);
  });

  test('a repository that cannot be read is a failure, never up to date', () => {
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

test('an onboarding includes repositories that are not completely indexed', () => {
  const found = ['p/o/new', 'p/o/done', 'p/o/half'].map((id) => ({ id, cloneUrl: id }));
  const receipts = new Map([
    ['p/o/done', receipt('p/o/done')],
    ['p/o/half', receipt('p/o/half', { commit: '' })],
  ]);
  const plan = planOnboarding(found, receipts, 'now');
  expect(plan.work.map(({ id }) => id)).toEqual(['p/o/half', 'p/o/new']);
  expect(plan.upToDate).toEqual(['p/o/done']);
});

function listing(id: string, uid: string): Repository {
  return {
    id,
    cloneUrl: id,
    uid,
    provider: 'p',
    organization: 'o',
    project: null,
    repository: 'r',
    defaultBranch: null,
  };
}

describe('a repository with another name', () => {
  const old = receipt('p/o/old', { uid: 'forge:1' });
  const moved: Whereabouts = { state: 'moved', repository: listing('p/o/new', 'forge:1') };

  test('is only searched at the same provider', () => {
    const receipts = [
      old,
      receipt('p/o/new', { uid: 'forge:1' }),
      receipt('q/o/old', { uid: 'forge:1' }),
      receipt('p/o/x'),
    ];
    expect(possibleMoves([listing('p/o/new', 'forge:1'), listing('p/o/x', 'forge:9')], receipts)).toEqual([old]);
    expect(possibleMoves([{ id: 'p/o/new', cloneUrl: '' }], receipts)).toEqual([]);
  });

  test('is processed once, under the new name, until the old one is removed', () => {
    const moves = movesOf(
      new Map<string, Whereabouts>([
        ['p/o/old', moved],
        ['p/o/gone', { state: 'gone', certain: true }],
      ]),
    );
    const work = [{ id: 'p/o/new', cloneUrl: 'p/o/new', uid: 'forge:1', formerly: ['p/o/old'] }];
    const address = { id: 'p/o/new', cloneUrl: 'p/o/new', uid: 'forge:1' };
    const indexed = new Map([['p/o/new', receipt('p/o/new')]]);
    expect(planOnboarding([address], indexed, 'now', moves)).toMatchObject({ work, upToDate: [] });
    const heads = new Map([
      ['p/o/new', HEAD],
      ['p/o/old', HEAD],
    ]);
    expect(planSync([old, receipt('p/o/new')], heads, 'now', moves)).toMatchObject({
      work,
      upToDate: [],
      failures: [],
    });
  });
});

describe('a verification without full', () => {
  const xor = '1'.repeat(32);
  table.for([
    ['nothing when all is as the receipt says', {}, { state: 'there', repository: listing('p/o/r', '1') }, false],
    ['at another number', { objects: 2 }, undefined, true],
    ['at other ids', { xor: NO_OBJECTS }, undefined, true],
    ['at a run that did not finish', { pending: { ...HEAD, tree: '', timestamp: null } }, undefined, true],
    ['at a repository that is gone', {}, { state: 'gone', certain: false }, true],
    ['nothing because a provider does not answer', {}, new LonghaulError('DiscoveryFailed', 'no'), false],
  ] as const)('looks at %s', ([, change, place, looks]) => {
    const where = new Map<string, Whereabouts | LonghaulError>(place === undefined ? [] : [['p/o/r', place]]);
    const held = new Map([['p/o/r', new Map([['HEAD', { objects: 1, xor }]])]]);
    const known = { held, where, digest: 'now', full: false };
    const plan = planVerification([receipt('p/o/r', { xor, ...change })], ['p/o/nobody'], known);
    expect(plan.work.map(({ id }) => id)).toEqual(looks ? ['p/o/nobody', 'p/o/r'] : ['p/o/nobody']);
    expect(plan).toMatchObject({ matched: 2, upToDate: looks ? [] : ['p/o/r'] });
  });
});

describe('a repository with branches', () => {
  const DEVELOP = 'refs/heads/develop';
  const head = receipt('p/o/r', { branches: [DEVELOP] });
  const develop = receipt('p/o/r', { ref: DEVELOP, branch: 'develop', commit: 'd'.repeat(40) });
  const now = { ...HEAD, branches: new Map([[DEVELOP, 'd'.repeat(40)]]) };

  table.for([
    ['nothing when both are where their receipts are', [head, develop], now, false],
    ['work when the branch moved', [head, develop], { ...HEAD, branches: new Map([[DEVELOP, 'e'.repeat(40)]]) }, true],
    ['work when the branch is gone', [head, develop], { ...HEAD, branches: new Map() }, true],
    ['work when its position is unknown', [head, develop], HEAD, true],
    ['work when it has no receipt', [head], now, true],
    ['work when it is requested and not listed', [receipt('p/o/r')], now, true],
    ['work when its removal is not finished', [head, { ...develop, commit: '' }], now, true],
    [
      'work when its run is not finished',
      [head, { ...develop, pending: { ...HEAD, tree: '', timestamp: null } }],
      now,
      true,
    ],
    ['work when a receipt is not listed', [receipt('p/o/r'), develop], HEAD, true],
  ] as const)('is synced: %s', ([, receipts, seen, works]) => {
    const plan = planSync(receipts, new Map([['p/o/r', seen]]), 'now');
    expect(plan).toMatchObject({ matched: 1, upToDate: works ? [] : ['p/o/r'] });
    expect(plan.work.map(({ id }) => id)).toEqual(works ? ['p/o/r'] : []);
  });

  table.for([
    ['nothing when the numbers of each ref are right', { HEAD: 1, [DEVELOP]: 1 }, [head, develop], false],
    ['at a number of the branch', { HEAD: 1, [DEVELOP]: 2 }, [head, develop], true],
    ['at objects of a ref without receipt', { HEAD: 1, [DEVELOP]: 1, 'refs/heads/x': 1 }, [head, develop], true],
    ['at a branch without receipt', { HEAD: 1 }, [head], true],
    ['at a receipt that is not listed', { HEAD: 1, [DEVELOP]: 1 }, [receipt('p/o/r'), develop], true],
  ] as const)('is verified: %s', ([, counts, receipts, looks]) => {
    const of = new Map(Object.entries(counts).map(([ref, objects]) => [ref, { objects, xor: NO_OBJECTS }]));
    const known = { held: new Map([['p/o/r', of]]), where: new Map(), digest: 'now', full: false };
    const plan = planVerification(receipts, [], known);
    expect(plan.work.map(({ id }) => id)).toEqual(looks ? ['p/o/r'] : []);
    expect(plan.matched).toBe(1);
  });

  test('is moved once, and counted once, however many names the index has it under', () => {
    const moving = [head, develop].map((one) => ({ ...one, uid: 'forge:1' }));
    expect(possibleMoves([listing('p/o/new', 'forge:1')], moving)).toEqual([moving[0]]);
    const known = ['p/o/older', 'p/o/old', 'p/o/new'].map((id) => receipt(id, { uid: 'forge:1' }));
    const moves = new Map([['p/o/new', { to: listing('p/o/new', 'forge:1'), formerly: ['p/o/older', 'p/o/old'] }]]);
    const plan = planSync([...known, receipt('p/o/other')], new Map([['p/o/other', HEAD]]), 'now', moves);
    expect(plan).toMatchObject({ matched: 2, upToDate: ['p/o/other'], failures: [] });
    expect(plan.work.map(({ id }) => id)).toEqual(['p/o/new']);
  });
});
