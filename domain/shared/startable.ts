/** A part of some work, such as a service, and the names of those that it needs. */
export interface Needing {
  readonly name: string;
  readonly needs: readonly string[];
}

/** The parts that can start: everything that they need is done, and they are neither done nor running. */
export function startable<Part extends Needing>(
  parts: readonly Part[],
  done: ReadonlySet<string>,
  running: ReadonlySet<string>,
): readonly Part[] {
  return parts.filter(
    ({ name, needs }) => !done.has(name) && !running.has(name) && needs.every((needed) => done.has(needed)),
  );
}
