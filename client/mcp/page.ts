import type { Receipt } from '../../domain/catalog/index/receipt.ts';

/** A part of a list, and where the next one begins. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** The key of the last item; null when nothing comes after it. */
  readonly nextCursor: string | null;
}

/** The first `limit` items whose key comes after `cursor`, of items in the order of their keys. */
export function pageAfter<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
): Page<Item> {
  const left = cursor === undefined ? items : items.filter((item) => keyOf(item) > cursor);
  const page = left.slice(0, limit);
  const last = page.at(-1);
  return { items: page, nextCursor: left.length > limit && last !== undefined ? keyOf(last) : null };
}

/** What a receipt vouches for; nulls while it vouches for nothing. */
export function indexedState({ repository, commit, branch, indexedAt }: Receipt) {
  const isVouched = commit !== '';
  return {
    id: repository,
    commit: isVouched ? commit : null,
    branch,
    indexedAt: isVouched && indexedAt !== '' ? indexedAt : null,
  };
}
