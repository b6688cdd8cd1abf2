import type { Delivery } from './repository-event.ts';

/** Deliveries that one activity passes on at most. */
const LONGEST = 2_000;
/** Bytes of JSON in one payload at most; Temporal accepts 2 MiB. */
const LARGEST = 512 * 1024;

/**
 * Cuts deliveries into slices that each fit one payload, in their order: at most 2,000 deliveries and 512 KiB of JSON.
 * A single delivery that is larger is a slice of its own. No deliveries, no slices.
 */
export function slicesOf(deliveries: readonly Delivery[]): readonly (readonly Delivery[])[] {
  const encoder = new TextEncoder();
  const slices: Delivery[][] = [];
  let bytes = 0;
  for (const delivery of deliveries) {
    const size = encoder.encode(JSON.stringify(delivery)).length + 1;
    const last = slices.at(-1);
    if (last !== undefined && last.length < LONGEST && bytes + size <= LARGEST) {
      last.push(delivery);
      bytes += size;
    } else {
      slices.push([delivery]);
      bytes = size;
    }
  }
  return slices;
}
