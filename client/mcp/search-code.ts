import { LonghaulError } from '../../domain/shared/failures.ts';
import { type Answer, short } from './answer.ts';
import { nameShownAs, sanitize, sanitizeLine, sanitizeName } from '../core/sanitize.ts';
import type { Library } from './library.ts';
import type { SearchCodeInput, SearchCodeOutput } from './tools.schema.ts';

type Result = SearchCodeOutput['results'][number];

/** Limits in characters, of all snippets together and of one. */
const MOST_TEXT = 60_000;
const LONGEST_SNIPPET = 6_000;

/** `search_code`: the answer of `longhaul search --json`, limited in size. */
export async function searchCode(
  library: Library,
  { query, repository_pattern: pattern, language, path_glob: path, branch, limit }: SearchCodeInput,
  signal: AbortSignal,
): Promise<Answer<SearchCodeOutput>> {
  const started = performance.now();
  const receipts = await library.receipts(pattern, signal);
  if (receipts.length === 0) {
    throw new LonghaulError(
      'InvalidInput',
      pattern === undefined
        ? 'Nothing is indexed yet: run `longhaul index add --pattern …` first.'
        : `No indexed repository matches ${JSON.stringify(pattern)}: list_repositories lists their ids.`,
    );
  }
  const question = {
    query,
    limit,
    ...(pattern === undefined ? {} : { pattern: nameShownAs(pattern) }),
    ...(language === undefined ? {} : { language }),
    ...(path === undefined ? {} : { path: nameShownAs(path) }),
    ...(branch === undefined ? {} : { branch: nameShownAs(branch) }),
  };
  const { results: found, reason } = await library.search(question, signal);
  const results: Result[] = [];
  let room = MOST_TEXT;
  for (const { snippet, symbols, ...rest } of found) {
    const result = {
      ...rest,
      repo: sanitizeName(rest.repo),
      path: sanitizeName(rest.path),
      symbols: [...symbols],
      snippet: shortened(snippet),
    };
    room -= result.snippet.length;
    if (room < 0) break;
    results.push(result);
  }
  const omitted = found.length - results.length;
  // includes everything that the caller waits for, such as opening the index for the first search
  const tookMs = Math.round(performance.now() - started);
  const why = reason === undefined ? '' : `\n${sanitizeLine(reason)}`;
  return {
    text: `${rendered(query, results, omitted)}${why}`,
    structured: { query, tookMs, results, omitted, ...(reason === undefined ? {} : { reason }) },
  };
}

function shortened(snippet: string): string {
  if (snippet.length <= LONGEST_SNIPPET) return snippet;
  return `${snippet.slice(0, LONGEST_SNIPPET)}… [${snippet.length - LONGEST_SNIPPET} more characters: read_file]`;
}

function rendered(query: string, results: readonly Result[], omitted: number): string {
  const count = `${results.length} ${results.length === 1 ? 'result' : 'results'} for ${JSON.stringify(sanitizeLine(query))}`;
  const left = omitted === 0 ? '' : ` (${omitted} more omitted: too large for one answer)`;
  return [`${count}${left}`, ...results.map(renderedResult)].join('\n\n');
}

function renderedResult({ repo, path, startLine, endLine, language, symbols, commit, snippet }: Result): string {
  const names = symbols.length === 0 ? '' : ` — ${symbols.slice(0, 6).map(sanitizeLine).join(', ')}`;
  const place = `${repo} ${path}:${startLine}-${endLine}`;
  return `${place} (${language || 'text'}, commit ${short(commit)})${names}\n${sanitize(snippet).replace(/\n+$/, '')}`;
}
