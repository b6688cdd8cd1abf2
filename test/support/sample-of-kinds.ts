import type { Boundary } from './doomed-process.ts';

/** So many boundaries, or fewer, spread evenly over their kinds, and each time another one of those of its kind. */
export function sampleOfKinds(all: readonly Boundary[], count: number): readonly Boundary[] {
  const kinds = [...new Set(all.map(({ kind }) => kind))];
  return spread(kinds, count).flatMap((kind, at) => {
    const times = all.filter((each) => each.kind === kind);
    return times.slice(at % times.length).slice(0, 1);
  });
}

/** So many of a list, or all of a shorter one, at equal distances. */
function spread<Item>(list: readonly Item[], count: number): readonly Item[] {
  const chosen = Math.min(count, list.length);
  return Array.from(
    { length: chosen },
    (_, at) => list.slice(Math.floor(((at + 0.5) * list.length) / chosen))[0] as Item,
  );
}
