import type { SearchAnswer, SearchExplanation, SearchResult } from '../../../activities/index/search.ts';
import type { CliContext } from '../../core/context.ts';
import { nameShownAs, printable, sanitizeName } from '../../core/sanitize.ts';

/** Options of `longhaul search`. */
export interface SearchOptions {
  /** mgit pattern of the repositories to search. @default all */
  readonly repo?: string;
  /** Language of the files. @default any */
  readonly lang?: string;
  /** Pattern of the paths of the files. @default any */
  readonly path?: string;
  /** Branch to search. @default HEAD */
  readonly branch?: string;
  readonly limit: number;
  /** Print one JSON value. @default false */
  readonly json?: boolean;
  /** Show how each score was computed. @default false */
  readonly explain?: boolean;
  /** False for `--no-rescore`. */
  readonly rescore: boolean;
}

/** `longhaul search`. */
export async function searchCommand(context: CliContext, query: string, options: SearchOptions): Promise<number> {
  const { openSearch } = await import('../../catalog/search.ts');
  const session = await openSearch(context, { prepareRescoring: options.rescore });
  try {
    const { repo, lang, path, branch, limit, json, explain = false, rescore } = options;
    const answer = await session.search({
      query,
      limit,
      rescore,
      explain,
      ...(repo === undefined ? {} : { pattern: nameShownAs(repo) }),
      ...(lang === undefined ? {} : { language: lang }),
      ...(path === undefined ? {} : { path: nameShownAs(path) }),
      ...(branch === undefined ? {} : { branch: nameShownAs(branch) }),
    });
    if (json) context.stdout.write(`${JSON.stringify(answer)}\n`);
    else await printAnswer(context, answer);
    return 0;
  } finally {
    await session.close();
  }
}

/** Lines per result on a terminal. */
const SHOWN_LINES = 7;
const SHOWN_SYMBOLS = 4;

async function printAnswer(
  { stdout, stderr, env }: CliContext,
  { query, tookMs, results, reason }: SearchAnswer,
): Promise<void> {
  const [{ styleFor }, { queryStems }, { mostRelevantLines, wordMatcher }] = await Promise.all([
    import('../../core/style.ts'),
    import('../../../domain/catalog/search/identifiers.ts'),
    import('../../../domain/catalog/search/snippet.ts'),
  ]);
  const style = styleFor(stdout, env);
  const terms = queryStems(query);
  const isMatch = wordMatcher(terms);
  const highlighted = (line: string): string =>
    printable(line.replace(/\r$/, '')).replaceAll(/[\p{L}\p{N}_]+/gu, (word) =>
      isMatch(word) ? style('yellow', word) : word,
    );

  for (const result of results) {
    const { repo, path, score, startLine, snippet } = result;
    const shown = mostRelevantLines({ text: snippet, startLine }, terms, SHOWN_LINES);
    const place = style('bold', printable(sanitizeName(`${repo}/${path}:${shown.startLine}`)));
    stdout.write(`${place}${printable(symbolsOf(result))}  ${style('dim', score.toFixed(3))}\n`);
    if (result.explain) stdout.write(`${style('dim', `        ${explained(result.explain)}`)}\n`);
    for (const [at, line] of shown.text.split('\n').entries()) {
      stdout.write(`${style('dim', String(shown.startLine + at).padStart(6))}  ${highlighted(line)}\n`);
    }
    stdout.write('\n');
  }
  if (reason !== undefined) stderr.write(`${printable(reason)}\n`);
  stderr.write(`${results.length === 1 ? '1 result' : `${results.length} results`} in ${tookMs} ms\n`);
}

function symbolsOf({ symbols }: SearchResult): string {
  return symbols.length === 0 ? '' : `  ${symbols.slice(0, SHOWN_SYMBOLS).join(', ')}`;
}

/** `keyword 0.31 + vector 0.12 + … × test 0.4`: the parts of a score. */
function explained({ kinds, diversity, firstStage, ...parts }: SearchExplanation): string {
  const sum = Object.entries(parts).flatMap(([rule, value]) => (value ? [`${rule} ${value.toFixed(3)}`] : []));
  const factors = [
    ...kinds.map(({ kind, factor }) => `${kind} ${factor}`),
    ...(diversity < 1 ? [`diversity ${diversity}`] : []),
  ];
  return `${sum.join(' + ')}${factors.map((factor) => ` × ${factor}`).join('')} (first stage ${firstStage.toFixed(3)})`;
}
