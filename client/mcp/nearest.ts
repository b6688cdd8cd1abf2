import { distance } from 'fastest-levenshtein';

/** A comparison takes microseconds: this many are fast enough. */
const MOST_COMPARED = 20_000;
const SHOWN = 5;

/** The paths or ids that were probably meant: first those with the same ending, then those with similar spelling. */
export function nearest(wanted: string, names: readonly string[]): string[] {
  const asked = wanted.toLowerCase();
  const last = lastSegment(asked);
  const sameEnd = names.filter((name) => lastSegment(name.toLowerCase()) === last);
  const compared = sameEnd.length >= SHOWN ? sameEnd : [...sameEnd, ...names];
  const ranked = [...new Set(compared)]
    .slice(0, MOST_COMPARED)
    .map((name) => ({
      name,
      isSameEnd: lastSegment(name.toLowerCase()) === last,
      far: distance(asked, name.toLowerCase()),
    }))
    .filter(({ name, isSameEnd, far }) => isSameEnd || far <= Math.max(asked.length, name.length) / 2)
    .sort((a, b) => Number(b.isSameEnd) - Number(a.isSameEnd) || a.far - b.far);
  return ranked.slice(0, SHOWN).map(({ name }) => name);
}

function lastSegment(name: string): string {
  return name.replace(/\/+$/, '').slice(name.replace(/\/+$/, '').lastIndexOf('/') + 1);
}
