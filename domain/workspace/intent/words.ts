/** A word as words are compared: in lower case, with `-` for each run of other characters than letters and digits. */
export function foldWord(word: string): string {
  return word
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}+#]+/gu, '-')
    .replaceAll(/^-|-$/g, '');
}

/** The same without the ending of an English plural. */
export function singular(folded: string): string {
  if (folded.length > 4 && folded.endsWith('ies')) return `${folded.slice(0, -3)}y`;
  return folded.length > 3 && folded.endsWith('s') && !folded.endsWith('ss') ? folded.slice(0, -1) : folded;
}

const SHORTEST_STEM = 4;

/** True when two words are equal, or one begins with the other, which has four letters: `auth`, `authentication`. */
export function isSameStem(one: string, other: string): boolean {
  const [short, long] = one.length <= other.length ? [one, other] : [other, one];
  return short === long || (short.length >= SHORTEST_STEM && long.startsWith(short));
}
