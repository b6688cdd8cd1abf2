import { execFileSync } from 'node:child_process';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { inRefOrder, isBranchName, isBranchPattern, matchesBranch } from '../../../domain/git/branch.ts';

/** Whether git accepts the name of a branch. */
function gitTakes(name: string): boolean {
  try {
    execFileSync('git', ['check-ref-format', '--branch', name], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('names of branches', () => {
  test.each(['main', 'release/1.0', 'feature/ünï', 'a@b', 'x{y', 'a.b', '@x', 'HEAD/x', "it's", '%2F', 'a-b', '1'])(
    '%j is one',
    (name) => {
      expect(isBranchName(name)).toBe(true);
      expect(gitTakes(name)).toBe(true);
    },
  );

  test.each(
    `
    |-x|--upload-pack=sh|.x|a/.b|a..b|a.lock|a.lock/b|a.|a/|/a|a//b|HEAD|a b|a~1|a^|a:b|a?|a*|a[b|a\\b|a@{1}|a\u007f|../../etc/passwd
  `
      .trim()
      .split('|'),
  )('%j is none', (name) => {
    expect(isBranchName(name)).toBe(false);
    expect(gitTakes(name)).toBe(false);
  });

  test.each(['@', '@{-1}', 'a\nb'])('%j, which git interprets differently, is invalid', (name) => {
    expect(isBranchName(name)).toBe(false);
  });

  property.prop(
    [fc.array(fc.constantFrom(...Array.from('ab/.-@{}^:?*[\\ \t~'), '.lock', '..', '//', 'HEAD'), { maxLength: 6 })],
    { numRuns: 300 },
  )('whatever is taken, git takes too', (parts) => {
    const name = parts.join('');
    expect(!isBranchName(name) || gitTakes(name)).toBe(true);
  });

  test('text that was not UTF-8 or is too long is invalid', () => {
    expect(isBranchName('by\ufffdtes')).toBe(false);
    expect(isBranchName('x'.repeat(201))).toBe(false);
  });
});

describe('patterns of branches', () => {
  test.each(['develop', 'release/*', '*', 'v?.x'])('%j is one', (pattern) => {
    expect(isBranchPattern(pattern)).toBe(true);
  });

  test.each(['', '-*', 'a..*', 'release/', 'refs/heads/main', 'a b', '.*', 'a[bc]'])('%j is none', (pattern) => {
    expect(isBranchPattern(pattern)).toBe(false);
  });

  test('match any characters for a star, case-sensitively', () => {
    expect(matchesBranch(['release/*'], 'release/1.0/fix')).toBe(true);
    expect(matchesBranch(['release/*'], 'Release/1.0')).toBe(false);
    expect(matchesBranch(['main', 'v?'], 'v2')).toBe(true);
    expect(matchesBranch(['main'], 'main2')).toBe(false);
    expect(matchesBranch([], 'main')).toBe(false);
  });
});

test('refs are in one order, each once', () => {
  expect(inRefOrder(['refs/heads/b', 'HEAD', 'refs/heads/a', 'HEAD'])).toEqual([
    'HEAD',
    'refs/heads/a',
    'refs/heads/b',
  ]);
  expect(inRefOrder(['refs/heads/b', 'refs/heads/a'])).toEqual(['refs/heads/a', 'refs/heads/b']);
});
