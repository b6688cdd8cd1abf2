import type { SearchAnswer, SearchResult } from '../../activities/index/search.ts';
import type { CliContext } from './context.ts';
import { printable } from './printable.ts';

/** `longhaul search`. */
export async function searchCommand(
  context: CliContext,
  query: string,
  options: { repo?: string; lang?: string; path?: string; limit: number; json?: boolean },
): Promise<number> {
  const { openSearch } = await import('../search.ts');
  const session = await openSearch(context);
  try {
    const answer = await session.search({
      query,
      limit: options.limit,
      ...(options.repo === undefined ? {} : { pattern: options.repo }),
      ...(options.lang === undefined ? {} : { language: options.lang }),
      ...(options.path === undefined ? {} : { path: options.path }),
    });
    if (options.json) context.stdout.write(`${JSON.stringify(answer)}\n`);
    else await printAnswer(context, answer);
    return 0;
  } finally {
    await session.close();
  }
}

/** Lines of a result that are shown: those around the words of the question. */
const SHOWN_LINES = 7;

async function printAnswer(
  { stdout, stderr, env }: CliContext,
  { query, tookMs, results }: SearchAnswer,
): Promise<void> {
  const [{ default: picocolors }, { queryStems, stems }] = await Promise.all([
    import('picocolors'),
    import('../../domain/catalog/identifiers.ts'),
  ]);
  const colors = picocolors.createColors(stdout.isTTY && !env['NO_COLOR']);
  const wanted = new Set(queryStems(query));
  const isWanted = (word: string): boolean => stems(word).some((stem) => wanted.has(stem));
  for (const result of results) {
    const { repo, path, symbols, score } = result;
    const lines = bestLines(result, isWanted);
    const first = lines[0]?.number ?? result.startLine;
    const names = symbols.length === 0 ? '' : `  ${symbols.slice(0, 4).join(', ')}`;
    stdout.write(
      `${colors.bold(printable(`${repo}/${path}:${first}`))}${printable(names)}  ${colors.dim(score.toFixed(3))}\n`,
    );
    for (const { number, text } of lines) {
      const marked = printable(text).replaceAll(/[\p{L}\p{N}_]+/gu, (word) =>
        isWanted(word) ? colors.yellow(word) : word,
      );
      stdout.write(`${colors.dim(String(number).padStart(6))}  ${marked}\n`);
    }
    stdout.write('\n');
  }
  stderr.write(`${results.length} results in ${tookMs} ms\n`);
}

/** The window of lines that has the most words of the question; the first such window. */
function bestLines(
  { snippet, startLine }: SearchResult,
  isWanted: (word: string) => boolean,
): { number: number; text: string }[] {
  const lines = snippet
    .replace(/\n$/, '')
    .split('\n')
    .map((text, at) => ({ number: startLine + at, text }));
  const hits = lines.map(({ text }) => (text.match(/[\p{L}\p{N}_]+/gu) ?? []).filter(isWanted).length);
  let best = 0;
  let most = -1;
  for (let from = 0; from <= Math.max(0, lines.length - SHOWN_LINES); from++) {
    const sum = hits.slice(from, from + SHOWN_LINES).reduce((total, count) => total + count, 0);
    if (sum > most) [best, most] = [from, sum];
  }
  return lines.slice(best, best + SHOWN_LINES);
}
