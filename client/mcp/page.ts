import type { Receipt } from '../../domain/catalog/index/receipt.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { sanitizeName } from '../core/sanitize.ts';

/** A page of a list, with the cursor of the next page. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Opaque; pass it to the next call. Null on the last page. */
  readonly nextCursor: string | null;
}

/** The requested page of a list. */
export interface PageRequest {
  /** `nextCursor` of the previous page. @default the first page */
  readonly cursor?: string | undefined;
  /** Maximum number of items. */
  readonly limit: number;
}

/**
 * The first `limit` items whose key is greater than the cursor's. `items` are sorted by key. Throws `InvalidInput` for
 * a cursor that {@link pageAfter} did not create for the same `list`.
 */
export function pageAfter<Item>(
  list: string,
  items: readonly Item[],
  keyOf: (item: Item) => string,
  { cursor, limit }: PageRequest,
): Page<Item> {
  const after = cursor === undefined ? null : positionOf(list, cursor);
  const left = after === null ? items : items.filter((item) => keyOf(item) > after);
  const page = left.slice(0, limit);
  const last = page.at(-1);
  return { items: page, nextCursor: left.length > limit && last !== undefined ? cursorAt(list, keyOf(last)) : null };
}

/** Encodes any key exactly: JSON preserves lone surrogates, and base64url contains nothing to sanitize. */
function cursorAt(list: string, key: string): string {
  return Buffer.from(JSON.stringify([list, key])).toString('base64url');
}

function positionOf(list: string, cursor: string): string {
  const value = parsed(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (Array.isArray(value) && value.length === 2) {
    const [of, key] = value as unknown[];
    // decoding ignores characters that are not base64url, so a valid cursor must also encode to itself
    if (of === list && typeof key === 'string' && cursorAt(list, key) === cursor) return key;
  }
  throw new LonghaulError(
    'InvalidInput',
    `cursor: this is not a nextCursor of ${list}. Omit it to start from the beginning.`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/**
 * The indexed state in a receipt, with names as answers show them; nulls until the first run over the repository has
 * finished.
 */
export function indexedState({ repository, commit, branch, indexedAt }: Receipt) {
  const isComplete = commit !== '';
  return {
    id: sanitizeName(repository),
    commit: isComplete ? commit : null,
    branch: branch === null ? null : sanitizeName(branch),
    indexedAt: isComplete && indexedAt !== '' ? indexedAt : null,
  };
}
