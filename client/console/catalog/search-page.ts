import type { SearchAnswer, SearchResult } from '../../../activities/index/search.ts';
import { queryStems } from '../../../domain/catalog/search/identifiers.ts';
import { mostRelevantLines, wordMatcher } from '../../../domain/catalog/search/snippet.ts';
import { nameShownAs } from '../../core/sanitize.ts';
import { html, type Html } from '../html.ts';
import { CONSOLE } from '../assets.ts';
import { field } from '../parts.ts';

/** A question as the form asks it; an empty text restricts nothing. */
export interface SearchForm {
  readonly q: string;
  /** mgit pattern of the repositories. */
  readonly repo: string;
  /** Language of the files. */
  readonly lang: string;
  /** Pattern of the paths of the files. */
  readonly path: string;
  readonly branch: string;
}

/** Lines of a result that are shown. */
const SHOWN_LINES = 12;
const SHOWN_SYMBOLS = 4;

/** The question of a query; names may be in the form in which pages show them. */
export function formOf(query: URLSearchParams): SearchForm {
  const text = (name: string): string => (query.get(name) ?? '').trim().slice(0, 1_000);
  return {
    q: text('q'),
    repo: nameShownAs(text('repo')),
    lang: text('lang'),
    path: nameShownAs(text('path')),
    branch: nameShownAs(text('branch')),
  };
}

/** The form of a search, with its question. */
export function searchForm({ q, repo, lang, path, branch }: SearchForm): Html {
  return html`<form method="get" action="${CONSOLE}/search" role="search">
    ${field('q', 'Search for', { value: q, type: 'search' })}
    ${field('repo', 'Repositories', { value: repo, hint: 'acme/*' })}
    ${field('lang', 'Language', { value: lang, hint: 'TypeScript' })}
    ${field('path', 'Path', { value: path, hint: 'src/**' })}
    ${field('branch', 'Branch', { value: branch, hint: 'HEAD' })}
    <button>Search</button>
  </form>`;
}

/** The results of a search, the words of the question marked. */
export function searchResults({ query, tookMs, results, reason }: SearchAnswer): Html {
  const terms = queryStems(query);
  const isMatch = wordMatcher(terms);
  return html`<p class="muted">${results.length === 1 ? '1 result' : `${results.length} results`} in ${tookMs} ms</p>
    ${reason !== undefined && html`<p class="empty">${reason}</p>`}
    ${results.map((result) => resultHtml(result, terms, isMatch))}`;
}

function resultHtml(
  { repo, path, startLine, snippet, language, symbols, commit }: SearchResult,
  terms: readonly string[],
  isMatch: (word: string) => boolean,
): Html {
  const shown = mostRelevantLines({ text: snippet, startLine }, terms, SHOWN_LINES);
  const lines = shown.text.split('\n').map((line, at) => {
    const number = String(shown.startLine + at).padStart(5);
    return html`<span class="line">${number}</span>  ${marked(line.replace(/\r$/, ''), isMatch)}\n`;
  });
  const about = [language, ...symbols.slice(0, SHOWN_SYMBOLS), `commit ${commit.slice(0, 12)}`].join(' · ');
  return html`<section class="result">
    <h2><bdi>${repo}</bdi> <bdi>${path}</bdi>:${shown.startLine}</h2>
    <p class="muted">${about}</p>
    <pre><code>${lines}</code></pre>
  </section>`;
}

function marked(line: string, isMatch: (word: string) => boolean): (Html | string)[] {
  return line
    .split(/([\p{L}\p{N}_]+)/u)
    .map((part, at) => (at % 2 === 1 && isMatch(part) ? html`<mark>${part}</mark>` : part));
}
