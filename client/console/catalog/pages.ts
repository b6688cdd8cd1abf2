import { viewFleet } from '../../catalog/fleet-view.ts';
import { createReused } from '../../../activities/shared/reused.ts';
import { type ConsolePart, type ConsoleSources, pageNumber } from '../page.ts';
import { pager, pathWith } from '../parts.ts';
import { CONSOLE } from '../assets.ts';
import { fleetContent } from './fleet.ts';

/** Repositories on a page. */
const ROWS = 100;
/** How long the view of the fleet is reused, in milliseconds: it reads the receipts of every repository. */
const FLEET_COUNTS_MS = 5_000;

/** The pages of the catalog: the fleet. */
export function catalogPages({ context, client }: ConsoleSources): ConsolePart {
  const fleet = createReused(() => viewFleet(context, client), FLEET_COUNTS_MS);
  return {
    pages: [
      {
        path: '/fleet',
        name: 'Fleet',
        isLive: true,
        async render({ query }) {
          const view = await fleet.get();
          const page = pageNumber(query);
          const path = (number: number): string => pathWith(`${CONSOLE}/fleet`, { page: String(number) });
          return fleetContent(view, {
            from: (page - 1) * ROWS,
            rows: ROWS,
            pager: pager('Pages of repositories', {
              newer: page > 1 ? path(page - 1) : null,
              older: page * ROWS < view.repositories.length ? path(page + 1) : null,
            }),
          });
        },
      },
    ],
    close: () => Promise.resolve(),
  };
}
