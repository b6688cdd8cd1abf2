import { stems } from './identifiers.ts';

/** Consecutive lines of a text, with their line numbers in the file. */
export interface Snippet {
  /** 1-based. */
  readonly startLine: number;
  /** 1-based, inclusive. */
  readonly endLine: number;
  /** The lines, without a line break at the end. */
  readonly text: string;
}

/** A function that is true for the words that a search looks for. */
export function wordMatcher(terms: readonly string[]): (word: string) => boolean {
  const stemSet = new Set(terms);
  return (word) => stems(word).some((stem) => stemSet.has(stem));
}

/**
 * The `most` consecutive lines that match best: those with the most distinct search words, then those with the most
 * occurrences, then the first. Blank lines at either end are left out.
 */
export function mostRelevantLines(
  { text, startLine }: Pick<Snippet, 'text' | 'startLine'>,
  terms: readonly string[],
  most: number,
): Snippet {
  const lines = text.replace(/\r?\n$/, '').split('\n');
  const stemSet = new Set(terms);
  const hits = lines.map((line) => stems(line).filter((stem) => stemSet.has(stem)));
  // counts of each search word, and of all, in the lines from `from` on
  const times = new Map<string, number>();
  let words = 0;
  const count = (line: readonly string[] | undefined, one: 1 | -1): void => {
    for (const word of line ?? []) {
      words += one;
      const left = (times.get(word) ?? 0) + one;
      if (left > 0) times.set(word, left);
      else times.delete(word);
    }
  };
  for (const line of hits.slice(0, most)) count(line, 1);
  let best = 0;
  let bestValue = -1;
  for (let from = 0; from + most <= lines.length; from++) {
    const value = times.size * 1_000 + Math.min(words, 999);
    if (value > bestValue) [best, bestValue] = [from, value];
    count(hits[from], -1);
    count(hits[from + most], 1);
  }
  let [from, to] = [best, Math.min(best + most, lines.length)];
  while (to - from > 1 && isBlank(lines[from])) from++;
  while (to - from > 1 && isBlank(lines[to - 1])) to--;
  return { startLine: startLine + from, endLine: startLine + to - 1, text: lines.slice(from, to).join('\n') };
}

function isBlank(line: string | undefined): boolean {
  return line === undefined || line.trim() === '';
}
