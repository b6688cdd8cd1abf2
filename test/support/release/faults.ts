/** What happens at an activity. */
export type FaultKind =
  /** It fails before it has done anything, as when its worker was killed. */
  | 'fails before'
  /** It does its work, and its answer is lost. */
  | 'answer is lost'
  /** `onReached` runs before it. */
  | 'is reached';

/** A fault at the n-th activity that begins from now on, from 0. */
export interface Fault {
  readonly nth: number;
  readonly kind: FaultKind;
  readonly onReached?: () => Promise<void>;
}

/** Faults of the activities of a worker. */
export interface Faults {
  /** Counts from 0 again; null for no fault. */
  arm(fault: Fault | null): void;
  /** The activities that began since then, retries included. */
  readonly begun: readonly string[];
  /** The same activities, with the faults. */
  around<Activities extends object>(activities: Activities): Activities;
}

/** Creates {@link Faults}. */
export function createFaults(): Faults {
  let armed: Fault | null = null;
  let begun: string[] = [];
  return {
    arm(fault) {
      armed = fault;
      begun = [];
    },
    get begun() {
      return begun;
    },
    around: (activities) =>
      Object.fromEntries(
        Object.entries(activities).map(([name, run]: [string, (input: unknown) => Promise<unknown>]) => [
          name,
          async (input: unknown): Promise<unknown> => {
            const fault = armed?.nth === begun.length ? armed : null;
            begun.push(name);
            if (fault?.kind === 'fails before') throw new Error(`${name} failed before it began`);
            if (fault?.kind === 'is reached') await fault.onReached?.();
            const answer = await run(input);
            if (fault?.kind === 'answer is lost') throw new Error(`the answer of ${name} was lost`);
            return answer;
          },
        ]),
      ) as typeof activities,
  };
}
