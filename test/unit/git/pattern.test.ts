import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  matcherAmong,
  matchesAny,
  matchesPattern,
  parsePattern,
  patternsOverlap,
} from '../../../domain/git/pattern.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { answersInThread } from '../../support/answer-in-thread.ts';

describe('parsePattern', () => {
  test.each([
    // one segment is a repository, two are organization and repository
    ['api', 'work/acme/api', true],
    ['api', 'work/acme/api-gateway', true],
    ['api', 'work/acme/my-api', false],
    ['*api', 'work/acme/my-api', true],
    ['*api', 'work/acme/api-gateway', false],
    ['acme/*', 'work/acme/api', true],
    ['acme/*', 'work/acme/platform/api', true],
    ['acme/api', 'work/acme-corp/api2', true],
    ['acme/api', 'work/corp/api', false],
    // three name the project, which only some forges have
    ['acme/plat*/api', 'work/acme/platform/api', true],
    ['acme/other/api', 'work/acme/platform/api', false],
    ['acme/other/api', 'work/acme/api', true],
    ['*/*/*', 'work/acme/platform/api', true],
    ['*', 'work/acme/api', true],
    // case does not count, ? is one character, a dot is a dot
    ['ACME/Api', 'work/acme/API', true],
    ['a?i', 'work/acme/api', true],
    ['a?i', 'work/acme/apii', false],
    ['a.i', 'work/acme/api', false],
    ['my repo_1', 'work/acme/My Repo_1', true],
  ])('%s and %s: %s', (pattern, id, expected) => {
    expect(matchesPattern(parsePattern(pattern), id)).toBe(expected);
  });

  test.each([
    ['work/acme/api', 'work/acme/api', true],
    ['work/acme/c++', 'work/acme/c++', true],
    ['work/acme/x#é', 'work/acme/x#é', true],
    ['work/acme/api', 'WORK/Acme/API', true],
    ['work/acme/api', 'work/acme/api-gateway', false],
    ['work/acme/api', 'home/acme/api', false],
    ['work/acme/api', 'home/workshop/acme/api', false],
    ['work/acme/api', 'home/workshop/api', false],
    ['work/acme/api', 'work/acme/platform/api', false],
    ['work/acme/*', 'work/acme/platform/api', true],
    ['work/acme/*', 'home/acme/api', false],
    ['work/acme/platform/api', 'work/acme/platform/api', true],
    ['work/acme/platform/api', 'work/acme/platform/api2', false],
    ['work/acme/platform/api', 'work/acme/api', false],
    ['work/*/*/api', 'work/acme/platform/api', true],
    ['acme/api', 'work/acme/api', true],
  ])('with the providers known, %s and %s: %s', (pattern, id, expected) => {
    expect(matchesPattern(parsePattern(pattern, ['work', 'home']), id)).toBe(expected);
  });

  test('an id is a pattern of its repository even without a list of providers', () => {
    for (const id of ['work/acme/api', 'work/acme/platform/api']) expect(matchesAny([parsePattern(id)], id)).toBe(true);
  });

  test.each([
    '',
    '/',
    'a//b',
    '/a',
    'a/',
    'a/b/',
    '*/b/c/d',
    'a/b/c/d/e',
    'a[bc]',
    'ä',
    'a\nb',
    'a;b',
    '$(x)',
    ' ',
    'a\\b',
  ])('refuses %j and says what is allowed', (pattern) => {
    const refused = refusal(() => parsePattern(pattern));
    expect(refused.type).toBe('InvalidInput');
    expect(refused.message).toMatch(/^The pattern ".*letters, digits, dot, dash, underscore, colon, space/s);
  });

  const segment = fc.string({ unit: fc.constantFrom('a', 'B', '.', '-', '*', '?', '_'), minLength: 1, maxLength: 6 });
  const name = fc.string({ unit: fc.constantFrom('a', 'A', 'b', '.', '-', '_'), minLength: 1, maxLength: 6 });

  test.prop([fc.array(segment, { minLength: 1, maxLength: 3 }), fc.array(name, { minLength: 3, maxLength: 4 })])(
    'agrees with fnmatch',
    (segments, parts) => {
      const [, organization = '', ...rest] = parts;
      const repository = rest.at(-1) ?? '';
      const project = rest.length > 1 ? (rest[0] ?? '') : null;
      const full =
        segments.length === 1
          ? ['*', '*', ...segments]
          : segments.length === 2
            ? [segments[0], '*', segments[1]]
            : segments;
      const [o = '', p = '', r = ''] = full.map(String);
      const expected = fnmatch(o, organization) && (project === null || fnmatch(p, project)) && fnmatch(r, repository);
      const id = parts.join('/');
      const same = segments.join('/').toLowerCase() === id.toLowerCase();
      expect(matchesPattern(parsePattern(segments.join('/')), id)).toBe(expected || same);
    },
  );

  test('answers for any pattern', async () => {
    const id = `work/acme/${'a'.repeat(5_000)}`;
    const call = [parsePattern(`${'*a'.repeat(100)}*b`), id];
    const module = new URL('../../../domain/git/pattern.ts', import.meta.url);
    expect(await answersInThread(module, 'matchesPattern', [call])).toEqual([false]);
  });
});

describe('among ids that differ by case', () => {
  const ids = ['work/acme/API', 'work/acme/api', 'work/acme/Web'];

  test.each([
    ['work/acme/API', ['work/acme/API']],
    ['work/acme/api', ['work/acme/api']],
    ['work/acme/web', ['work/acme/Web']],
    ['work/acme/Api', ['work/acme/API', 'work/acme/api']],
    ['acme/api', ['work/acme/API', 'work/acme/api']],
    ['work/acme/*', ids],
  ])('%s', (pattern, expected) => {
    expect(ids.filter(matcherAmong([parsePattern(pattern, ['work'])], ids))).toEqual(expected);
  });
});

describe('overlaps', () => {
  const overlap = (a: string, b: string): boolean =>
    patternsOverlap(parsePattern(a, ['work', 'home']), parsePattern(b, ['work', 'home']));

  test.each([
    ['acme/*', 'acme/api', true],
    ['acme/*', 'other/*', false],
    ['acme/a*', 'acme/b*', false],
    ['acme/a*c', 'acme/*bc', true],
    ['acme/a?', 'acme/ab', true],
    // a segment without a wildcard is a prefix
    ['acme/api', 'acme/api-old', true],
    ['api', 'acme/web', false],
    ['org/one/*', 'org/two/*', false],
    ['org/one/*', 'org/o*/x', true],
    ['work/acme/api', 'work/acme/api-old', false],
    ['work/acme/*', 'home/acme/*', false],
    ['work/acme/api', 'acme/*', true],
  ])('%s and %s: %s', (a, b, expected) => {
    expect(overlap(a, b)).toBe(expected);
    expect(overlap(b, a)).toBe(expected);
  });

  const segment = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), minLength: 1, maxLength: 5 });
  const name = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 5 });
  const pattern = fc.tuple(segment, segment).map((segments) => segments.join('/'));

  test.prop([pattern, pattern, name, name])('two that match the same repository overlap', (a, b, org, repo) => {
    const id = `work/${org}/${repo}`;
    const both = [a, b].every((text) => matchesPattern(parsePattern(text), id));
    expect(both && !overlap(a, b)).toBe(false);
  });
});

/** The failure that the work ends with. */
function refusal(work: () => unknown): LonghaulError {
  try {
    work();
  } catch (error) {
    if (error instanceof LonghaulError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

/** An independent reading of a segment, as a regular expression. */
function fnmatch(segment: string, name: string): boolean {
  const open = /[*?]/.test(segment) ? '' : '.*';
  const source = segment
    .replace(/[.\-_]/g, '\\$&')
    .replaceAll('\\_', '_')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}${open}$`, 'i').test(name);
}
