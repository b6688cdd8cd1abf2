import { describe, expect, test } from 'vitest';
import { describeReasons } from '../../../../domain/release/deployment/reasons.ts';
import { describeHotfixRelease } from '../../../../domain/release/promotion/hotfix.ts';
import { isHotfixReady, nextForHotfix } from '../../../../domain/release/promotion/hotfix-state.ts';

const evolutions = (...statuses: readonly string[]) =>
  statuses.map((status, at) => ({ tag: `v2.3.1-rc.${at + 1}`, status }));

describe('the reasons of a deployment', () => {
  const none = { reason: null, passedOver: [], overrideFreeze: null };
  test.each([
    [none, []],
    [{ ...none, reason: 'it is urgent' }, ['because: it is urgent']],
    [{ ...none, passedOver: ['dev', 'staging'] }, ['past dev, staging, without a reason']],
    [{ ...none, passedOver: ['staging'], reason: 'it is urgent' }, ['past staging, because: it is urgent']],
    [{ reason: 'a', passedOver: [], overrideFreeze: 'b' }, ['because: a', 'during a freeze, because: b']],
  ])('%j', (reasons, expected) => {
    expect(describeReasons(reasons)).toEqual(expected);
  });
});

describe('a hotfix', () => {
  test.each([
    [false, [], false],
    [false, ['fail'], false],
    [false, ['pending'], false],
    [false, ['pass'], true],
    [false, ['fail', 'pass'], true],
    // the gate of hotfixes is closed
    [false, ['pass', 'pending'], false],
    [false, ['pass', 'running'], false],
    [false, ['abandoned', 'pass', 'abandoned'], true],
    [true, [], true],
  ])('promoted: %s, with evolutions %j is proven: %s', (isPromoted, statuses, expected) => {
    expect(isHotfixReady({ isPromoted, evolutions: evolutions(...statuses) })).toBe(expected);
  });

  test.each([
    [[], 'no evolution was started; next: longhaul evolution start v2.3.1 --change CRIT-5'],
    [['fail'], 'v2.3.1-rc.1: fail; next: longhaul evolution start v2.3.1 --change CRIT-5'],
    [
      ['fail', 'pending', 'pending'],
      'commit it with [CRIT-5] in its message, and run the pipeline: it proves v2.3.1-rc.2, v2.3.1-rc.3',
    ],
  ])('with evolutions %j has a next step', (statuses, expected) => {
    const hotfix = { version: 'v2.3.1', branch: 'hotfix/v2.3.1', issue: 'CRIT-5', evolutions: evolutions(...statuses) };
    expect(nextForHotfix(hotfix)).toEqual([expect.stringContaining('git switch hotfix/v2.3.1'), expected]);
  });

  test('that is deployed says where, and one that is not says what is next', () => {
    const result = {
      base: 'v2.3.0',
      version: 'v2.3.1',
      issue: 'CRIT-5',
      environment: 'production',
      reason: "it's down",
      commit: 'a'.repeat(40),
      published: [],
      deployment: { id: '01a22caf-2361-7b44-a331-095680e78c9c', samples: 3 },
      problem: null,
    };
    expect(describeHotfixRelease(result).split('\n')).toEqual([
      'Hot-fix v2.3.1 of v2.3.0 for CRIT-5 is promoted at aaaaaaaaaaaa.',
      'v2.3.1 is in production: healthy, 3 samples (longhaul deployments show 01a22caf-2361).',
    ]);
    expect(
      describeHotfixRelease({ ...result, deployment: null, problem: 'It crashes.' })
        .split('\n')
        .slice(1),
    ).toEqual([
      'It is not in production, which has what it had before: It crashes.',
      String.raw`v2.3.1 stays promoted. When the cause is corrected: longhaul deploy v2.3.1 --env production --reason 'it'\''s down'`,
    ]);
  });
});
