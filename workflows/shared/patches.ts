import { patched } from '@temporalio/workflow';

/** A change to a flow that a run must not see while it replays what an earlier version did. */
interface Patch {
  /** The first version that has it. */
  readonly since: string;
  /** When the old branch may be removed: no earlier run is open any more, and no test replays one. */
  readonly until: string;
}

/**
 * All patches of all flows, by their id in histories. The old branch of a patch is removed in two steps: first
 * `deprecatePatch`, then, a version later, nothing (https://docs.temporal.io/develop/typescript/versioning).
 */
export const PATCHES = {
  'what-is-there-comes-back': { since: '0.4.0', until: 'followRepository of 0.3 no longer replays: 0.6.0' },
  'one-declaration-at-a-time': { since: '0.4.0', until: 'no run of 0.3 is left: 0.6.0' },
  'flow-discards-its-stream': { since: '0.5.0', until: 'no run of 0.4 is left: 0.7.0' },
  'unused-builds-first': { since: '0.5.0', until: 'pruneIndex of 0.4 no longer replays: 0.7.0' },
  'deliveries-in-slices': { since: '0.5.0', until: 'takeDeliveries of 0.4 no longer replays: 0.7.0' },
  'input-is-checked': {
    since: '0.5.0',
    until: 'no run of 0.4 is left, and takeDeliveries of it no longer replays: 0.7.0',
  },
} as const satisfies Readonly<Record<string, Patch>>;

/** True when this run follows the patch; false while it replays what an earlier version did. */
export function isPatched(id: keyof typeof PATCHES): boolean {
  return patched(id);
}
