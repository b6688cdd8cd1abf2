/** Most items that go together: far below what a signal may carry. */
const LARGEST_BATCH = 500;

/** Hands an item over; resolves when the other side has it. */
export type Outbox<Item> = (item: Item) => Promise<void>;

/**
 * Hands items over in one request after another: whatever comes meanwhile goes together with the next. So a single one waits
 * for nobody, and a burst costs no more requests than the server answers. A request that fails is answered to those who were in it.
 */
export function createOutbox<Item>(handOver: (items: readonly Item[]) => Promise<unknown>): Outbox<Item> {
  /** The batch that is not on its way yet, and when the latest will have been handed over. */
  let open: { readonly items: Item[]; readonly sent: Promise<void> } | null = null;
  let handedOver: Promise<unknown> = Promise.resolve();

  function begin(): { readonly items: Item[]; readonly sent: Promise<void> } {
    const items: Item[] = [];
    const send = async (before: Promise<unknown>): Promise<void> => {
      await before;
      if (open === batch) open = null;
      await handOver(items);
    };
    const sent = send(handedOver);
    const batch = { items, sent };
    handedOver = sent.catch(() => undefined);
    return batch;
  }

  return (item) => {
    if (open === null || open.items.length >= LARGEST_BATCH) open = begin();
    open.items.push(item);
    return open.sent;
  };
}
