/** One thing that `longhaul doctor` looked at. */
export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
  /** What to do about it; null when nothing needs doing. */
  readonly remedy: string | null;
}

/** Something is as it should be. */
export function fine(name: string, found: string): Finding {
  return { name, ok: true, found, remedy: null };
}

/** Something is not. */
export function wrong(name: string, found: string, remedy: string): Finding {
  return { name, ok: false, found, remedy };
}
