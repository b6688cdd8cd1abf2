/** Remembers recent names. */
export interface Recent {
  /** Whether the name is remembered. */
  has(name: string): boolean;
  /** Adds a name; the oldest is dropped when there are too many. */
  add(name: string): void;
}

/** A memory of the latest `most` names: the oldest is dropped first. */
export function createRecent(most: number): Recent {
  const names = new Set<string>();
  return {
    has: (name) => names.has(name),
    add(name) {
      names.add(name);
      const [oldest] = names;
      if (names.size > most && oldest !== undefined) names.delete(oldest);
    },
  };
}
