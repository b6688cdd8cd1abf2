import { stems } from './identifiers.ts';

/** Lines of a text, by their numbers in the file. */
export interface Snippet {
  /** 1-based. */
  readonly startLine: number;
  /** 1-based, inclusive. */
  readonly endLine: number;
  /** The lines, without a line break at the end. */
  readonly text: string;
}

const WORD = /[\p{L}\p{N}_]+/gu;

/** Says of a word whether it is one that is looked for. */
export function wordMatcher(terms: readonly string[]): (word: string) => boolean {
  const wanted = new Set(terms);
  return (word) => stems(word).some((stem) => wanted.has(stem));
}

/**
 * The `most` consecutive lines of a text that say most of what is looked for: those with the most different words of it, then
 * those with the most words, then the first. Blank lines at either end are left out.
 */
export function mostRelevantLines(
  { text, startLine }: Pick<Snippet, 'text' | 'startLine'>,
  terms: readonly string[],
  most: number,
): Snippet {
  const lines = text.replace(/\r?\n$/, '').split('\n');
  const wanted = new Set(terms);
  const hits = lines.map((line) => (line.match(WORD) ?? []).flatMap(stems).filter((stem) => wanted.has(stem)));
  let best = 0;
  let bestValue = -1;
  for (let from = 0; from + most <= lines.length; from++) {
    const within = hits.slice(from, from + most).flat();
    const value = new Set(within).size * 1_000 + Math.min(within.length, 999);
    if (value > bestValue) [best, bestValue] = [from, value];
  }
  let [from, to] = [best, Math.min(best + most, lines.length)];
  while (to - from > 1 && isBlank(lines[from])) from++;
  while (to - from > 1 && isBlank(lines[to - 1])) to--;
  return { startLine: startLine + from, endLine: startLine + to - 1, text: lines.slice(from, to).join('\n') };
}

function isBlank(line: string | undefined): boolean {
  return line === undefined || line.trim() === '';
}
