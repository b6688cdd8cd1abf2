import { distance } from 'fastest-levenshtein';

/** A comparison takes microseconds: this many are fast enough. */
const MOST_COMPARED = 20_000;
const SHOWN = 5;

/** The paths or ids that were probably meant: first those with the same ending, then those with similar spelling. */
export function nearest(name: string, names: readonly string[]): string[] {
  const asked = name.toLowerCase();
  const last = lastSegment(asked);
  const sameEnd = names.filter((each) => lastSegment(each.toLowerCase()) === last);
  const compared = sameEnd.length >= SHOWN ? sameEnd : [...sameEnd, ...names];
  const ranked = [...new Set(compared)]
    .slice(0, MOST_COMPARED)
    .map((each) => ({
      name: each,
      isSameEnd: lastSegment(each.toLowerCase()) === last,
      far: distance(asked, each.toLowerCase()),
    }))
    .filter(({ name: each, isSameEnd, far }) => isSameEnd || far <= Math.max(asked.length, each.length) / 2)
    .sort((a, b) => Number(b.isSameEnd) - Number(a.isSameEnd) || a.far - b.far);
  return ranked.slice(0, SHOWN).map(({ name: each }) => each);
}

function lastSegment(name: string): string {
  return name.replace(/\/+$/, '').slice(name.replace(/\/+$/, '').lastIndexOf('/') + 1);
}
