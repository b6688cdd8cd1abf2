/** A value of an axis of a matrix. */
export type AxisValue = string | number | boolean;

/** Values by axis. */
export type Combination = Readonly<Record<string, AxisValue>>;

/** The matrix of a job. */
export interface Matrix {
  readonly axes: Readonly<Record<string, readonly AxisValue[]>>;
  readonly include: readonly Combination[];
  readonly exclude: readonly Combination[];
}

/** The most jobs that a matrix may stand for. */
export const MOST_COMBINATIONS = 256;

/**
 * The combinations of a matrix, in the order of its axes, the last one changing fastest. As at GitHub Actions, one of
 * `include` adds its values to every combination that it does not contradict on an axis, and is a combination of its
 * own when there is none. Stops at one more than {@link MOST_COMBINATIONS}.
 */
export function combinationsOf({ axes, include, exclude }: Matrix): Combination[] {
  let found: Combination[] = [{}];
  for (const [axis, values] of Object.entries(axes)) {
    found = found.flatMap((one) => values.map((value) => ({ ...one, [axis]: value }))).slice(0, LIMIT);
  }
  const names = Object.keys(axes);
  const crossed = names.length === 0 ? [] : found.filter((one) => !exclude.some((other) => agrees(one, other)));
  const combinations = crossed.map((one) => ({ own: one, all: one }));
  for (const more of include) {
    const onAxes = Object.fromEntries(Object.entries(more).filter(([name]) => names.includes(name)));
    const extended = combinations.filter(({ own }) => names.length > 0 && agrees(own, onAxes));
    if (extended.length === 0) combinations.push({ own: more, all: more });
    for (const one of extended) one.all = { ...one.all, ...more };
  }
  return combinations.slice(0, LIMIT).map(({ all }) => all);
}

/** The id of the job of a combination: `test`, or `test (linux, 22)` with the values of its matrix. */
export function idOfJob(name: string, combination: Combination): string {
  const values = Object.values(combination);
  return values.length === 0 ? name : `${name} (${values.join(', ')})`;
}

const LIMIT = MOST_COMBINATIONS + 1;

/** True when a combination has all values of another. */
function agrees(one: Combination, other: Combination): boolean {
  return Object.entries(other).every(([axis, value]) => one[axis] === value);
}
