/** One check of `longhaul doctor`. */
export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
  /** What to do about it; null when nothing is wrong. */
  readonly remedy: string | null;
}

/** A successful check. */
export function fine(name: string, found: string): Finding {
  return { name, ok: true, found, remedy: null };
}

/** A failed check. */
export function wrong(name: string, found: string, remedy: string): Finding {
  return { name, ok: false, found, remedy };
}
