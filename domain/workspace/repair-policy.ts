import type { DriftClass, RepoDrift } from './workspace-drift.ts';
import type { GitInProgress } from './workspace-snapshot.ts';

/**
 * What a repair does about a repository that differs. `clone`: it is gone, and is cloned again. `remove`: no manifest asks for
 * it any more, and it leaves. `person`: a person has changed it, and resolves it or leaves it so. `nothing`: it does not
 * differ.
 */
export type Remedy = 'clone' | 'remove' | 'person' | 'nothing';

/** What is known about a repository that may differ. */
export interface DriftedRepo extends Pick<RepoDrift, 'classification'> {
  /** False for one that could not be cloned again. */
  readonly hasOrigin: boolean;
  /** An operation of git that waits for its end, such as a merge with conflicts. */
  readonly inProgress: GitInProgress;
}

const BY_CLASS: Readonly<Record<DriftClass, Remedy>> = {
  none: 'nothing',
  missing: 'clone',
  unexpected: 'remove',
  changed: 'person',
};

/** The policy of repairs: nothing that a person may have meant is changed without asking. */
export function remedyOf({ classification, hasOrigin, inProgress }: DriftedRepo): Remedy {
  if (inProgress !== 'none') return 'person';
  if (classification === 'missing' && !hasOrigin) return 'person';
  return BY_CLASS[classification];
}
