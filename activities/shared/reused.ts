/** A value that is read again when it is older than a bound. */
export interface Reused<Value> {
  /** The value; concurrent calls share one read. A read that fails is not reused. */
  get(): Promise<Value>;
  /** Makes the next call read again. */
  forget(): void;
}

/** Reuses what `read` returned for at most `mostMs` milliseconds, counted from the beginning of the read. */
export function createReused<Value>(
  read: () => Promise<Value>,
  mostMs: number,
  now: () => number = () => performance.now(),
): Reused<Value> {
  let known: { readonly value: Promise<Value>; readonly at: number } | undefined;
  return {
    get() {
      const at = now();
      if (known !== undefined && at - known.at < mostMs) return known.value;
      const entry = { value: read(), at };
      known = entry;
      entry.value.catch(() => {
        if (known === entry) known = undefined;
      });
      return entry.value;
    },
    forget() {
      known = undefined;
    },
  };
}
