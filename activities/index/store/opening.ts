/** Something that is opened when it is first needed and then the same for everybody. */
export interface Opening<Opened> {
  /** Opens it unless it is open. Rejects as opening does; the next call then tries again. */
  get(): Promise<Opened>;
  /** Waits for an opening that is under way; undefined when it is not open. Never rejects. */
  current(): Promise<Opened | undefined>;
}

/** What `open` gives, opened once. */
export function createOpening<Opened>(open: () => Promise<Opened>): Opening<Opened> {
  let opened: Promise<Opened> | undefined;
  return {
    get() {
      if (opened) return opened;
      const opening = open();
      opened = opening;
      opening.catch(() => {
        opened = undefined;
      });
      return opening;
    },
    current: async () => opened?.catch(() => undefined),
  };
}
