/** Remembers names that came lately. */
export interface Recent {
  has(name: string): boolean;
  add(name: string): void;
}

/** A memory of the latest `most` names: the oldest is forgotten first. */
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
