import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { spreadOverRepositories } from '../../../../domain/catalog/search/diversity.ts';
import { readQuestion } from '../../../../domain/catalog/search/question.ts';
import { type Candidate, rankFiles } from '../../../../domain/catalog/search/ranking.ts';

const word = fc.constantFrom('parse', 'token', 'user', 'name', 'cache', 'http', 'router', 'x');
const name = fc.tuple(word, word).map(([a, b]) => `${a}${b.charAt(0).toUpperCase()}${b.slice(1)}`);
const path = fc
  .tuple(fc.constantFrom('src', 'test', 'docs', 'lib/locale'), word, fc.constantFrom('.ts', '.test.ts', '.md', '.d.ts'))
  .map(([folder, base, extension]) => `${folder}/${base}${extension}`);
const bm25 = fc.constantFrom(0, 0.25, 0.5, 1, 3, 17.5);
const candidates = fc
  .array(
    fc.record({
      repo: fc.constantFrom('a', 'b'),
      path,
      symbols: fc.array(name, { maxLength: 3 }),
      declares: fc.array(name, { maxLength: 2 }),
      keyword: bm25,
      vector: fc.constantFrom(0, 0.2, 0.6, 1),
      meaning: fc.constantFrom(undefined, 0.1, 0.9),
    }),
    { maxLength: 30 },
  )
  .map((list) =>
    list.map(({ meaning, ...rest }, at): Candidate => ({
      ...rest,
      id: String(at),
      ...(meaning === undefined ? {} : { meaning }),
    })),
  );
const query = fc.oneof(
  name,
  fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(' ')),
);

function one(fields: Partial<Candidate>): Candidate {
  return {
    id: fields.path ?? '',
    repo: 'a',
    path: 'src/a.ts',
    symbols: [],
    declares: [],
    keyword: 0,
    vector: 0,
    ...fields,
  };
}

function order(asked: string, found: readonly Candidate[]): string[] {
  return rankFiles(readQuestion(asked), found).map(({ best }) => best.path);
}

describe('the ranking of files', () => {
  test.prop([query, candidates])('has every file once, best first', (asked, found) => {
    const ranked = rankFiles(readQuestion(asked), found);
    const files = ranked.map(({ best }) => `${best.repo} ${best.path}`);
    expect(files.toSorted()).toEqual([...new Set(found.map((c) => `${c.repo} ${c.path}`))].toSorted());
    for (const [at, { score: value }] of ranked.entries()) {
      expect(Number.isFinite(value) && value >= 0).toBe(true);
      expect(value).toBeLessThanOrEqual(ranked[at - 1]?.score ?? value);
    }
  });

  test.prop([query, candidates, fc.infiniteStream(fc.nat(1_000))])(
    'does not depend on the order of candidates',
    (asked, found, keys) => {
      const shuffled = found
        .map((candidate) => ({ candidate, key: keys.next().value }))
        .sort((a, b) => a.key - b.key)
        .map(({ candidate }) => candidate);
      const shown = (list: readonly Candidate[]): unknown =>
        rankFiles(readQuestion(asked), list).map(({ best, score: value }) => [best.id, value.toFixed(9)]);
      expect(shown(shuffled)).toEqual(shown(found));
    },
  );

  test.prop([query, candidates, fc.nat()])(
    'a better match by words is never worse for its file',
    (asked, found, pick) => {
      const index = pick % Math.max(1, found.length);
      const chosen = found[index];
      if (!chosen) return;
      // a better top score changes only the scale of the others
      const better = found.map((c, at) => (at === index ? { ...c, keyword: c.keyword + 0.1 } : c));
      const rank = (list: readonly Candidate[]): number =>
        rankFiles(readQuestion(asked), list).findIndex(
          ({ best }) => best.repo === chosen.repo && best.path === chosen.path,
        );
      const highest = Math.max(...found.map(({ keyword }) => keyword));
      if (chosen.keyword + 0.1 <= highest) expect(rank(better)).toBeLessThanOrEqual(rank(found));
    },
  );

  test('ranks the definition of a name above its uses', () => {
    const found = [
      one({ path: 'src/uses.ts', keyword: 20, vector: 0.9, meaning: 0.9 }),
      one({ path: 'src/also.ts', keyword: 19, vector: 0.8, meaning: 0.8 }),
      one({ path: 'src/defines.ts', keyword: 0, symbols: ['getUserName'] }),
    ];
    expect(order('getUserName', found)[0]).toBe('src/defines.ts');
    expect(order('UserService.getUserName', found)[0]).toBe('src/defines.ts');
    expect(order('where is getUserName defined', found)[0]).toBe('src/defines.ts');
    expect(order('getusername', found)[0]).toBe('src/uses.ts');
  });

  test('counts a definition less, the more files have one of the same name', () => {
    const definition = (asked: string, files: number): number => {
      const defining = Array.from({ length: files }, (_file, at) =>
        one({ path: `src/${at}.ts`, symbols: ['parseToken'] }),
      );
      return rankFiles(readQuestion(asked), defining)[0]?.explanation.definition ?? 0;
    };
    expect(definition('parseToken', 4)).toBeCloseTo(definition('parseToken', 1) / 2);
    expect(definition('parseToken', 9)).toBeCloseTo(definition('parseToken', 1) / 3);
  });

  test('ranks what only declares or exports a name again between its definition and its uses', () => {
    const found = [
      one({ path: 'src/use.ts', keyword: 1 }),
      one({ path: 'src/again.ts', declares: ['parseToken'], keyword: 1 }),
      one({ path: 'src/token.ts', symbols: ['parseToken'], keyword: 1 }),
    ];
    expect(order('parseToken', found)).toEqual(['src/token.ts', 'src/again.ts', 'src/use.ts']);
  });

  test('counts a word in a path more, the fewer paths have it', () => {
    const common = Array.from({ length: 20 }, (_file, at) => one({ path: `src/cache/common${at}.ts`, keyword: 1 }));
    const rare = one({ path: 'src/eviction/other.ts', keyword: 1 });
    expect(order('cache eviction', [...common, rare])[0]).toBe('src/eviction/other.ts');
  });

  test('ranks a test first only if nothing else defines the name', () => {
    const helper = one({ path: 'test/helper.test.ts', symbols: ['makeFake'], keyword: 1 });
    const use = one({ path: 'src/use.ts', keyword: 1 });
    expect(rankFiles(readQuestion('makeFake'), [helper, use])[0]).toMatchObject({ explanation: { kinds: [] } });
    const code = one({ path: 'src/fake.ts', symbols: ['makeFake'], keyword: 0.5 });
    expect(order('makeFake', [helper, use, code])[0]).toBe('src/fake.ts');
  });

  test('prefers the name as it is spelled', () => {
    const found = [one({ path: 'a.ts', symbols: ['Parse'] }), one({ path: 'b.ts', symbols: ['parse'] })];
    expect(order('Parse', found)).toEqual(['a.ts', 'b.ts']);
    expect(order('parse()', found)).toEqual(['b.ts', 'a.ts']);
  });

  test('ranks tests below code, unless the question asks for tests', () => {
    const found = [one({ path: 'test/cache.test.ts', keyword: 3 }), one({ path: 'src/store.ts', keyword: 2 })];
    expect(order('evict old entries', found)).toEqual(['src/store.ts', 'test/cache.test.ts']);
    expect(order('test that old entries are evicted', found)).toEqual(['test/cache.test.ts', 'src/store.ts']);
  });

  test('prefers a file with more matching chunks, and one with a matching name', () => {
    const pieces = [2, 2, 2].map((keyword, at) => one({ id: String(at), path: 'src/a.ts', keyword }));
    expect(order('evict old entries', [...pieces, one({ path: 'src/b.ts', keyword: 2.1 })])).toEqual([
      'src/a.ts',
      'src/b.ts',
    ]);
    const named = [one({ path: 'src/zip.ts', keyword: 2 }), one({ path: 'src/eviction.ts', keyword: 2 })];
    expect(order('evict old entries', named)[0]).toBe('src/eviction.ts');
  });

  test('lets the transformer decide between equals', () => {
    const found = [one({ path: 'a.ts', keyword: 2, meaning: 0.1 }), one({ path: 'b.ts', keyword: 2, meaning: 0.5 })];
    expect(order('evict old entries', found)).toEqual(['b.ts', 'a.ts']);
  });

  test('explains the contribution of each rule', () => {
    const [first] = rankFiles(readQuestion('evict entries'), [one({ path: 'test/evict.ts', keyword: 2, vector: 0.5 })]);
    expect(first?.explanation).toMatchObject({ kinds: [{ kind: 'test' }], meaning: null, definition: 0 });
    const { keyword = 0, vector = 0, path: named = 0, kinds = [] } = first?.explanation ?? {};
    expect((keyword + vector + named) * (kinds[0]?.factor ?? 0)).toBeCloseTo(first?.score ?? 0);
  });
});

describe('results of several repositories', () => {
  const results = fc.array(
    fc.record({ repo: fc.constantFrom('a', 'b', 'c'), score: fc.double({ min: 0, max: 3, noNaN: true }) }),
    { maxLength: 40 },
  );
  const of = <T>(result: T): T => result;

  test.prop([results])('all stay, best first, those of one repository in their order', (list) => {
    const spread = spreadOverRepositories(list, of);
    expect(spread.map(({ result }) => result).toSorted(byRepo)).toEqual(list.toSorted(byRepo));
    for (const [at, { score: value }] of spread.entries())
      expect(value).toBeLessThanOrEqual(spread[at - 1]?.score ?? value);
    for (const repo of ['a', 'b', 'c']) {
      const scores = spread.filter(({ result }) => result.repo === repo).map(({ result }) => result.score);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    }
  });

  test('one repository does not crowd out another, unless it is much better', () => {
    const crowd = (score: number): { repo: string; score: number }[] =>
      Array.from({ length: 20 }, (_, at) => ({ repo: 'big', score: score - at / 1_000 }));
    const rankOfOther = (list: { repo: string; score: number }[]): number =>
      spreadOverRepositories([...list, { repo: 'small', score: 1 }], of).findIndex(
        ({ result }) => result.repo === 'small',
      );
    expect(rankOfOther(crowd(1.1))).toBeLessThan(4);
    expect(rankOfOther(crowd(2))).toBe(20);
  });

  function byRepo(a: { repo: string; score: number }, b: { repo: string; score: number }): number {
    return a.repo === b.repo ? b.score - a.score : a.repo < b.repo ? -1 : 1;
  }
});
