import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { parsePathFilter, segmentsThatAreNames } from '../../../domain/git/path-filter.ts';
import { matchesWildcards } from '../../../domain/git/pattern.ts';

const TREE = [
  'README.md',
  'app/(shop)/[id]/page.tsx',
  'app/[[...slug]]/page.tsx',
  'app/shop/i/page.tsx',
  'app/[...all].config.ts',
  'db/migrations/001_init.sql',
  'db/schema.sql',
  '!top.md',
  'docs/a guide/!important.md',
  'lib/a.ts',
  'lib/deep/b.ts',
  'lib.ts',
  'packages/@scope/one/index.ts',
  'packages/c++/main.cc',
  'packages/{a,b}/x.ts',
  'src/lib/c.ts',
  String.raw`odd/back\slash.txt`,
  'odd/star*.txt',
  'odd/starfish.txt',
  '.github/workflows/ci.yml',
];

/** The paths of {@link TREE} that a filter selects. */
function selected(text: string, paths: readonly string[] = TREE): string[] {
  const { matches } = parsePathFilter(text, segmentsThatAreNames(text, paths));
  return paths.filter((path) => matches(path));
}

describe('a path filter', () => {
  test.each(['lib', 'lib/', '/lib/**', './lib', 'lib/**', './lib/', '//lib//', 'lib/**/*'])(
    '%s is the folder',
    (text) => {
      expect(selected(text)).toEqual(['lib/a.ts', 'lib/deep/b.ts']);
    },
  );

  test.each([
    ['app/(shop)/**', ['app/(shop)/[id]/page.tsx']],
    ['app/(shop)', ['app/(shop)/[id]/page.tsx']],
    ['app/(shop)/[id]/page.tsx', ['app/(shop)/[id]/page.tsx']],
    ['app/*/[id]/*.tsx', ['app/(shop)/[id]/page.tsx']],
    ['app/[[...slug]]/**', ['app/[[...slug]]/page.tsx']],
    ['app/[...all].*', ['app/[...all].config.ts']],
    [String.raw`app/\(shop\)/\[id\]/**`, ['app/(shop)/[id]/page.tsx']],
    ['docs/a guide/!important.md', ['docs/a guide/!important.md']],
    ['docs/a guide', ['docs/a guide/!important.md']],
    ['packages/@scope/**', ['packages/@scope/one/index.ts']],
    ['packages/c++', ['packages/c++/main.cc']],
    ['packages/{a,b}/x.ts', ['packages/{a,b}/x.ts']],
    [String.raw`odd/back\slash.txt`, [String.raw`odd/back\slash.txt`]],
    [String.raw`odd/star\*.txt`, ['odd/star*.txt']],
  ])('%s means the name that exists', (text, expected) => {
    expect(selected(text)).toEqual(expected);
  });

  test.each([
    ['**/*.sql', ['db/migrations/001_init.sql', 'db/schema.sql']],
    ['*.md', ['README.md', '!top.md']],
    ['!top.md', ['!top.md']],
    ['{db,lib}/*.{sql,ts}', ['db/schema.sql', 'lib/a.ts']],
    ['app/@(shop|other)/**', ['app/shop/i/page.tsx']],
    ['lib/[a-c].ts', ['lib/a.ts']],
    ['odd/star????.txt', ['odd/starfish.txt']],
    ['.github', ['.github/workflows/ci.yml']],
    ['!{app,docs,packages,odd}/**', TREE.filter((path) => !/^(?:app|docs|packages|odd)\//.test(path))],
    ['!**/*.{ts,tsx}', TREE.filter((path) => !/\.tsx?$/.test(path))],
    ['**', TREE],
    ['/', TREE],
    ['nothing', []],
  ])('%s is a glob', (text, expected) => {
    expect(selected(text)).toEqual(expected);
  });

  test.each([
    ['lib', ['lib', 'lib/*'], true],
    ['/lib/**', ['lib/*'], true],
    ['**/*.sql', ['*.sql'], true],
    ['**/*.{sql,ddl}', ['*.sql', '*.ddl'], true],
    ['src/*.ts', ['src/*.ts'], false],
    ['src/**/test/*.ts', ['src/*test/*.ts'], false],
    ['**', null, true],
    ['*', null, false],
  ])('%s: what Weaviate is asked', (text, likes, isExact) => {
    expect(parsePathFilter(text)).toMatchObject({ likes, isExact });
  });

  test.each(['', ' ', 'a'.repeat(5_000), '{1..1000}', '{a,b}{c,d}{e,f}{g,h}{i,j}{k,l}{m,n}'])('refuses %j', (text) => {
    expect(() => parsePathFilter(text)).toThrow(/^The path filter ".*/s);
  });

  const name = fc.string({ unit: fc.constantFrom(...Array.from('ab*?.()[]{}!@+|\\, -')), minLength: 1, maxLength: 5 });
  // a filter that begins with ! and has wildcards excludes
  const names = name.filter((text) => !/^(?:\.{1,2}|!.*[*?].*)$/.test(text) && text.trim() === text);
  const path = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const glob = fc.array(fc.oneof(names, fc.constantFrom('**', '*', '*.a', '{a,b}', '[ab]', '@(a|b)', '\\(a\\)')), {
    minLength: 1,
    maxLength: 4,
  });

  test.prop([fc.array(path, { minLength: 1, maxLength: 6 })], { numRuns: 300 })(
    'every path selects itself',
    (paths) => {
      for (const each of paths) expect(selected(each, paths)).toContain(each);
    },
  );

  test.prop([glob, fc.array(path, { minLength: 1, maxLength: 6 })], { numRuns: 300 })(
    'Weaviate is asked for all that is selected, and when exact for nothing else',
    (segments, paths) => {
      const text = segments.join('/');
      const { matches, likes, isExact } = parsePathFilter(text, segmentsThatAreNames(text, paths));
      for (const each of paths) {
        const isAsked = likes === null || likes.some((like) => matchesWildcards(like, each));
        if (matches(each)) expect({ each, likes, isAsked }).toMatchObject({ isAsked: true });
        if (isExact && isAsked) expect({ each, likes, isSelected: matches(each) }).toMatchObject({ isSelected: true });
      }
    },
  );
});
