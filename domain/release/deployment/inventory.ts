import { isSamePlaced, type PlacedKey } from '../../kubernetes/placed.ts';

/** An object that a release of an environment consists of. */
export interface InventoryItem extends PlacedKey {
  /** The version of its API that was applied: `apps/v1`. */
  readonly apiVersion: string;
  /** The service that it belongs to. */
  readonly service: string;
}

/**
 * The objects that the release before has and this one has not, which are to be deleted, in reverse order of the
 * inventory: what was made last goes first. An object that moved from one service to another stays; one that moved to another
 * cluster is deleted in the old one.
 */
export function removedFrom(before: readonly InventoryItem[], planned: readonly PlacedKey[]): readonly InventoryItem[] {
  return before.filter((item) => !planned.some((object) => isSamePlaced(item, object))).toReversed();
}
