/** A resource that is opened on first use and then shared. */
export interface Opening<Opened> {
  /** Opens it unless it is open. Rejects when opening fails; the next call then tries again. */
  get(): Promise<Opened>;
  /** Waits for an opening in progress; undefined when it is not open. Never rejects. */
  current(): Promise<Opened | undefined>;
}

/** A resource that `open` opens once. */
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
