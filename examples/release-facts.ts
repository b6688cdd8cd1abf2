import type { z } from 'zod';
import { RELEASED_CHANGES, RELEASED_VERSION } from './release-changes.ts';
import type { evolutionRows, generationRows, promotionEvents } from './results.schema.ts';

/** What git and SQL say about a release. */
export interface FoundRelease {
  /** The output of `git ls-remote`. */
  readonly refs: string;
  readonly generations: z.infer<typeof generationRows>;
  readonly evolutions: z.infer<typeof evolutionRows>;
  readonly promotions: z.infer<typeof promotionEvents>;
}

/**
 * What must be true of a release whose changes were proven at these commits, the last of which was released: each fact
 * as a sentence, and whether it holds.
 */
export function factsOf(
  { refs: listed, generations, evolutions, promotions }: FoundRelease,
  proven: readonly string[],
): readonly (readonly [fact: string, isHeld: boolean])[] {
  const refs = new Map(listed.split('\n').map((line): [string, string] => [line.slice(41), line.slice(0, 40)]));
  const released = proven.at(-1);
  const candidates = proven.map((commit, at) => ({
    tag: `${RELEASED_VERSION}-rc.${at + 1}`,
    change_id: RELEASED_CHANGES[at]?.id,
    status: 'pass',
    commit,
  }));
  return [
    ['main of the remote is the commit that was proven last', refs.get('refs/heads/main') === released],
    [`the tag ${RELEASED_VERSION} is on that commit`, refs.get(`refs/tags/${RELEASED_VERSION}^{}`) === released],
    ...candidates.map(({ tag, change_id: change, commit }): [string, boolean] => [
      `the tag ${tag} is on the commit of ${change}`,
      refs.get(`refs/tags/${tag}^{}`) === commit,
    ]),
    [
      'the ledger has one generation, promoted at that commit',
      same(generations, [{ version: RELEASED_VERSION, status: 'promoted', commit: released, tag: RELEASED_VERSION }]),
    ],
    ['the ledger has one evolution of each change, which passed at its commit', same(evolutions, candidates)],
    ['the audit trail has one promotion', same(promotions, [{ resource_id: RELEASED_VERSION }])],
  ];
}

function same(found: unknown, expected: unknown): boolean {
  return JSON.stringify(found) === JSON.stringify(expected);
}
