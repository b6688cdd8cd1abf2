import pLimit from 'p-limit';
import { createReused } from '../../../activities/shared/reused.ts';
import type { SearchAnswer } from '../../../activities/index/search.ts';
import type { SearchSession } from '../../catalog/search.ts';
import { Refusal } from '../../gateway/refusal.ts';
import { refusedBy } from '../../gateway/refused.ts';
import { CONSOLE } from '../assets.ts';
import { html } from '../html.ts';
import { type ConsolePage, type ConsolePart, type ConsoleSources, pageNumber } from '../page.ts';
import { notice, numberedPager } from '../parts.ts';
import { fleetContent } from './fleet.ts';
import { formOf, type SearchForm, searchForm, searchResults } from './search-page.ts';

/** Repositories on a page. */
const ROWS = 100;
/** How long the view of the fleet is reused, in milliseconds: it reads the receipts of every repository. */
const FLEET_COUNTS_MS = 5_000;
/** Results of a search. */
const RESULTS = 20;
/** Searches that run, and that wait, at most: each takes a processor for about a second. */
const SEARCHES = { running: 2, waiting: 16 };

/** The pages of the catalog: the fleet, and search. */
export function catalogPages({ context, client }: ConsoleSources): ConsolePart {
  // loaded by the first page that needs them: a gateway without visitors has no index
  const fleet = createReused(async () => {
    const { viewFleet } = await import('../../catalog/fleet-view.ts');
    return viewFleet(context, client);
  }, FLEET_COUNTS_MS);
  const limit = pLimit(SEARCHES.running);
  let session: Promise<SearchSession> | null = null;

  /** Opened at the first search, and again when that failed. */
  async function opened(): Promise<SearchSession> {
    session ??= import('../../catalog/search.ts').then(({ openSearch }) => openSearch(context));
    try {
      return await session;
    } catch (error) {
      session = null;
      throw error;
    }
  }

  async function answer({ q, repo, lang, path, branch }: SearchForm): Promise<SearchAnswer> {
    if (limit.pendingCount >= SEARCHES.waiting) {
      throw new Refusal(503, 'TooManyRequests', 'Too many searches are waiting.', { retryAfter: 5 });
    }
    return limit(async () =>
      (await opened()).search({
        query: q,
        limit: RESULTS,
        rescore: true,
        ...(repo === '' ? {} : { pattern: repo }),
        ...(lang === '' ? {} : { language: lang }),
        ...(path === '' ? {} : { path }),
        ...(branch === '' ? {} : { branch }),
      }),
    );
  }

  const fleetPage: ConsolePage = {
    path: '/fleet',
    name: 'Fleet',
    isLive: true,
    async render({ query }) {
      const view = await fleet.get();
      const page = pageNumber(query);
      const pager = numberedPager(
        'Pages of repositories',
        `${CONSOLE}/fleet`,
        {},
        page,
        view.repositories.length / ROWS,
      );
      return fleetContent(view, { from: (page - 1) * ROWS, rows: ROWS, pager });
    },
  };
  const searchPage: ConsolePage = {
    path: '/search',
    name: 'Search',
    async render({ query }) {
      const form = formOf(query);
      const title = form.q === '' ? 'Search' : `Search: ${form.q}`;
      if (form.q === '') return { title, body: searchForm(form) };
      try {
        return { title, body: html`${searchForm(form)}${searchResults(await answer(form))}` };
      } catch (error) {
        const { status, message, remedy } = refusedBy(error);
        // what was asked for is wrong: it stays in the form
        if (status !== 422) throw error;
        return { title, body: html`${searchForm(form)}${notice('bad', message, remedy)}` };
      }
    },
  };
  return {
    pages: [fleetPage, searchPage],
    async close() {
      await (await session?.catch(() => null))?.close();
    },
  };
}
