/** Most items in one request: far below the size limit of a signal. */
const LARGEST_BATCH = 500;

/** Sends an item; resolves when the receiver has it. */
export type Outbox<Item> = (item: Item) => Promise<void>;

/**
 * Sends items with one request at a time: items that arrive meanwhile go together with the next request. A single item
 * is sent without delay, and a burst causes no more requests than the server can answer. A failed request rejects all
 * its items.
 */
export function createOutbox<Item>(handOver: (items: readonly Item[]) => Promise<unknown>): Outbox<Item> {
  /** The batch that is not being sent yet, and the promise of the latest batch. */
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
