import { type Collection, Filters, type FilterValue } from 'weaviate-client';
import { ambiguousSegments, parsePathFilter, type PathFilter } from '../../domain/git/path-filter.ts';
import { listObjects } from './store/list-objects.ts';
import type { ChunkProperties } from './store/schema.ts';

type Chunks = Collection<ChunkProperties>;

/** Paths that are read to see whether a segment of a filter is a name. */
const NAMES_TO_CHECK = 100;
/** How many more objects than needed are requested while it is not known how many of them a filter selects. */
const TIMES_MORE = 10;

/** A path filter, with the names that are in the index taken as names. Throws `InvalidInput`. */
export async function readPathFilter(chunks: Chunks, text: string): Promise<PathFilter> {
  const path = chunks.filter.byProperty('path');
  const isIndexed = async ({ like, isName }: ReturnType<typeof ambiguousSegments>[number]): Promise<boolean> => {
    const { objects } = await chunks.query.fetchObjects({
      filters: Filters.or(...[like, `${like}/*`, `*/${like}`, `*/${like}/*`].map((each) => path.like(each))),
      limit: NAMES_TO_CHECK,
      returnProperties: ['path'],
    });
    return objects.some(({ properties }) => properties.path.split('/').some(isName));
  };
  const ambiguous = ambiguousSegments(text);
  const found = await Promise.all(ambiguous.map(isIndexed));
  return parsePathFilter(text, new Set(ambiguous.filter((_segment, at) => found[at]).map(({ segment }) => segment)));
}

/** All conditions; null when there is none. */
export function allOf(conditions: readonly (FilterValue | null)[]): FilterValue | null {
  const [first, ...others] = conditions.filter((condition) => condition !== null);
  return first === undefined ? null : others.length === 0 ? first : Filters.and(first, ...others);
}

/** What Weaviate can answer of a path filter: at least all selected paths pass it. Null for all paths. */
export function conditionOf({ filter }: Chunks, { likes }: PathFilter): FilterValue | null {
  if (likes === null) return null;
  const [first, ...others] = likes.map((like) => filter.byProperty('path').like(like));
  if (first === undefined) return null;
  return others.length === 0 ? first : Filters.or(first, ...others);
}

/** Lists of objects, each with the number of objects that it may have. */
export interface Asked<Found> {
  readonly limit: number;
  /** Asks Weaviate for the best objects that meet a condition. */
  readonly ask: (within: FilterValue | null, limit: number) => Promise<Found[]>;
}

/**
 * The best objects whose path is selected, of each list as many as if Weaviate knew the filter: when too few of the
 * best objects are selected, the paths in the index are read and the selected ones are asked for.
 */
export async function bestOfPaths<Found extends { readonly properties: Pick<ChunkProperties, 'path'> }>(
  chunks: Chunks,
  filter: PathFilter | null,
  within: FilterValue | null,
  lists: readonly Asked<Found>[],
): Promise<Found[][]> {
  if (filter === null) return Promise.all(lists.map(({ ask, limit }) => ask(within, limit)));
  const narrowed = allOf([within, conditionOf(chunks, filter)]);
  if (filter.isExact) return Promise.all(lists.map(({ ask, limit }) => ask(narrowed, limit)));

  const found = await Promise.all(lists.map(({ ask, limit }) => ask(narrowed, limit * TIMES_MORE)));
  const selected = found.map((objects) => objects.filter(({ properties }) => filter.matches(properties.path)));
  const isCut = lists.some(
    ({ limit }, at) => found[at]?.length === limit * TIMES_MORE && (selected[at]?.length ?? 0) < limit,
  );
  if (!isCut) return selected.map((objects, at) => objects.slice(0, lists[at]?.limit));
  const paths = new Set((await listObjects(chunks, narrowed ?? everything(chunks))).map(({ path }) => path));
  const chosen = [...paths].filter((path) => filter.matches(path));
  if (chosen.length === 0) return lists.map(() => []);
  const exactly = allOf([within, chunks.filter.byProperty('path').containsAny(chosen)]);
  return Promise.all(lists.map(({ ask, limit }) => ask(exactly, limit)));
}

function everything({ filter }: Chunks): FilterValue {
  return filter.byProperty('bucket').greaterOrEqual(0);
}
