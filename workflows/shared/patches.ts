import { patched } from '@temporalio/workflow';

/** A change of what a flow does that runs which began before it must not see. */
interface Patch {
  /** The first version that has it. */
  readonly since: string;
  /** When the old branch may go: once no run that began before can still be running, or be replayed by a test. */
  readonly until: string;
}

/**
 * All patches of all flows, by the id that is in histories. The old branch of a patch is removed in two steps: first
 * `deprecatePatch`, then, a version later, nothing (https://docs.temporal.io/develop/typescript/versioning).
 */
export const PATCHES = {
  'what-is-there-comes-back': { since: '0.4.0', until: 'followRepository of 0.3 no longer replays: 0.6.0' },
  'one-declaration-at-a-time': { since: '0.4.0', until: 'no run of 0.3 is left: 0.6.0' },
  'flow-discards-its-stream': { since: '0.5.0', until: 'no run of 0.4 is left: 0.7.0' },
  'deliveries-in-slices': { since: '0.5.0', until: 'takeDeliveries of 0.4 no longer replays: 0.7.0' },
} as const satisfies Readonly<Record<string, Patch>>;

/** True when this run is to do what the patch says; false while it replays what an earlier version did. */
export function isPatched(id: keyof typeof PATCHES): boolean {
  return patched(id);
}
