/**
 * Does the work for every item, one after the other. A failure does not stop the work for the items after it: the first
 * one is thrown at the end. `work` may be repeated, as an activity that fails is.
 */
export async function forEach<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const failures: unknown[] = [];
  for (const item of items) await work(item).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
