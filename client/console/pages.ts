import { catalogPages } from './catalog/pages.ts';
import type { ConsolePart, ConsoleSources } from './page.ts';
import { releasePages } from './release/pages.ts';
import { runPages } from './runs-page.ts';

/** The parts of the console in the order of its navigation: a wing adds one line. */
export function consoleParts(sources: ConsoleSources): readonly ConsolePart[] {
  return [{ pages: runPages(sources), close: () => Promise.resolve() }, catalogPages(sources), releasePages(sources)];
}
