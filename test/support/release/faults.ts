/** What happens at an activity. */
export type FaultKind =
  /** It fails before it has done anything, as when its worker was killed. */
  | 'fails before'
  /** It does its work, and its answer is lost. */
  | 'answer is lost'
  /** `onReached` runs before it. */
  | 'is reached'
  /** It goes on after it is said to have failed: as when its worker is cut off from Temporal, and from nothing else. */
  | 'is given up';

/** A fault at an activity that begins from now on. */
export interface Fault {
  /** The n-th activity, from 0. */
  readonly nth?: number;
  /** Every activity of this type, instead. */
  readonly activity?: string;
  readonly kind: FaultKind;
  readonly onReached?: () => Promise<void>;
  /** Gets the end of what is given up, when it has begun; it is said to have failed when this is resolved. */
  readonly onGivenUp?: (end: Promise<unknown>) => Promise<void>;
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
            const isMeant = armed?.activity === undefined ? armed?.nth === begun.length : armed.activity === name;
            const fault = isMeant ? armed : null;
            begun.push(name);
            if (fault?.kind === 'fails before') throw new Error(`${name} failed before it began`);
            if (fault?.kind === 'is reached') await fault.onReached?.();
            if (fault?.kind === 'is given up') {
              await fault.onGivenUp?.(run(input));
              throw new Error(`${name} was given up`);
            }
            const answer = await run(input);
            if (fault?.kind === 'answer is lost') throw new Error(`the answer of ${name} was lost`);
            return answer;
          },
        ]),
      ) as typeof activities,
  };
}
