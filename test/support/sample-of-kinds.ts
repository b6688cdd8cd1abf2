import { fc } from '@fast-check/vitest';
import type { Boundary } from './doomed-process.ts';

/** So many boundaries, or fewer, spread evenly over their kinds, and each time another one of those of its kind. */
function sampleOfKinds(all: readonly Boundary[], count: number): readonly Boundary[] {
  const kinds = [...new Set(all.map(({ kind }) => kind))];
  return spread(kinds, count).flatMap((kind, at) => {
    const times = all.filter((each) => each.kind === kind);
    return times.slice(at % times.length).slice(0, 1);
  });
}

/**
 * The last boundary of each of these kinds, then others as {@link sampleOfKinds} chooses them: so many in all. Throws when
 * there is none of one of these kinds: a sweep that passes no such boundary any more shows nothing about it.
 */
export function sampleWithKinds(
  all: readonly Boundary[],
  kinds: readonly string[],
  count: number,
): readonly Boundary[] {
  const always = kinds.map((kind) => {
    const found = all.findLast((each) => each.kind === kind);
    if (found === undefined) throw new Error(`no boundary is called "${kind}" any more: correct the list of the test`);
    return found;
  });
  const others = all.filter(({ kind }) => !kinds.includes(kind));
  return [...always, ...sampleOfKinds(others, count - always.length)];
}

/** So many of a list, or all of a shorter one, at equal distances. */
function spread<Item>(list: readonly Item[], count: number): readonly Item[] {
  const chosen = Math.min(count, list.length);
  return Array.from(
    { length: chosen },
    (_, at) => list.slice(Math.floor(((at + 0.5) * list.length) / chosen))[0] as Item,
  );
}

/** So many boundaries, or fewer, of as many kinds, which a seed chooses. */
export function seededSample(all: readonly Boundary[], count: number, seed: number): readonly Boundary[] {
  const kinds = [...new Set(all.map(({ kind }) => kind))];
  const length = Math.min(count, kinds.length);
  const chosen = fc
    .shuffledSubarray(kinds, { minLength: length, maxLength: length })
    .chain((some) => fc.tuple(...some.map((name) => fc.constantFrom(...all.filter(({ kind }) => kind === name)))));
  return fc.sample(chosen, { seed, numRuns: 1 }).flat();
}
