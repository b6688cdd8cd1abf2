import { describe, expect, test } from 'vitest';
import { RELEASED_CHANGES, RELEASED_VERSION } from '../../../examples/release-changes.ts';
import { factsOf, type FoundRelease } from '../../../examples/release-facts.ts';

const proven = RELEASED_CHANGES.map((_change, at) => String(at + 1).repeat(40));
const released = proven.at(-1) ?? '';
const candidates = proven.map((commit, at) => ({
  tag: `${RELEASED_VERSION}-rc.${at + 1}`,
  change_id: RELEASED_CHANGES[at]?.id ?? '',
  status: 'pass',
  commit,
}));
const object = 'f'.repeat(40);
const refs = [
  `${released}\trefs/heads/main`,
  ...[...candidates, { tag: RELEASED_VERSION, commit: released }].flatMap(({ tag, commit }) => [
    `${object}\trefs/tags/${tag}`,
    `${commit}\trefs/tags/${tag}^{}`,
  ]),
];
const good: FoundRelease = {
  refs: refs.join('\n'),
  generations: [{ version: RELEASED_VERSION, status: 'promoted', commit: released, tag: RELEASED_VERSION }],
  evolutions: candidates,
  promotions: [{ resource_id: RELEASED_VERSION }],
};
const brokenIn = (found: FoundRelease): string[] =>
  factsOf(found, proven)
    .filter(([, isHeld]) => !isHeld)
    .map(([fact]) => fact);

describe('the facts of a release that npm start shows', () => {
  test('hold', () => {
    expect(brokenIn(good)).toEqual([]);
  });

  test.for<readonly [what: string, change: Partial<FoundRelease>, broken: string]>([
    ['main is elsewhere', { refs: good.refs.replace(released, object) }, 'main of the remote is'],
    ['there is no final tag', { refs: refs.slice(0, -1).join('\n') }, `the tag ${RELEASED_VERSION} is on`],
    [
      'a candidate is on another commit',
      { refs: good.refs.replace(proven[0] ?? '', object) },
      '-rc.1 is on the commit',
    ],
    [
      'the generation is a draft',
      { generations: good.generations.map((row) => ({ ...row, status: 'draft' })) },
      'one generation',
    ],
    ['a change was proven twice', { evolutions: [...candidates, ...candidates.slice(-1)] }, 'one evolution of each'],
    [
      'a failure counts as none',
      { evolutions: candidates.map((row) => ({ ...row, status: 'fail' })) },
      'one evolution',
    ],
    ['no promotion is recorded', { promotions: [] }, 'the audit trail has one promotion'],
    ['two are', { promotions: [...good.promotions, ...good.promotions] }, 'the audit trail has one promotion'],
  ])('do not hold when %s', ([_what, change, broken]) => {
    expect(brokenIn({ ...good, ...change })).toEqual([expect.stringContaining(broken)]);
  });
});
