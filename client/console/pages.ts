import { catalogPages } from './catalog/pages.ts';
import type { GatesTools } from '../gateway/gates.ts';
import { inboxPages } from './inbox.ts';
import type { ConsolePart, ConsoleSources } from './page.ts';
import { releasePages } from './release/pages.ts';
import { runPages } from './runs-page.ts';

/** The parts of the console in the order of its navigation: a wing adds one line. */
export function consoleParts(sources: ConsoleSources, desk: GatesTools['desk']): readonly ConsolePart[] {
  const pages = [...inboxPages(sources, desk), ...runPages(sources)];
  return [{ pages, close: () => Promise.resolve() }, catalogPages(sources), releasePages(sources)];
}
