/** A service and the services that it needs. */
export interface Needing {
  readonly name: string;
  readonly needs: readonly string[];
}

/** The services that can start: everything that they need is done, and they are neither done nor running. */
export function startable<Service extends Needing>(
  services: readonly Service[],
  done: ReadonlySet<string>,
  running: ReadonlySet<string>,
): readonly Service[] {
  return services.filter(
    ({ name, needs }) => !done.has(name) && !running.has(name) && needs.every((needed) => done.has(needed)),
  );
}
