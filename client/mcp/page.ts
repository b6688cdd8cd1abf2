import type { Receipt } from '../../domain/catalog/index/receipt.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { sanitizeName } from '../core/sanitize.ts';

/** A part of a list, and where the next part begins. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Opaque; pass it to the next call. Null when this part is the last. */
  readonly nextCursor: string | null;
}

/** Which part of a list is asked for. */
export interface PageRequest {
  /** `nextCursor` of the part before; the beginning when left out. */
  readonly cursor?: string | undefined;
  /** Items at most. */
  readonly limit: number;
}

/**
 * The first `limit` items whose key comes after the position of the cursor. `items` are in the order of their keys. Throws
 * `InvalidInput` for a cursor that {@link pageAfter} did not make for the same `list`.
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

/** The exact key, whatever characters it has: JSON keeps lone surrogates, and base64url has nothing to sanitize. */
function cursorAt(list: string, key: string): string {
  return Buffer.from(JSON.stringify([list, key])).toString('base64url');
}

function positionOf(list: string, cursor: string): string {
  const value = parsed(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (Array.isArray(value) && value.length === 2) {
    const [of, key] = value as unknown[];
    // decoding ignores what is not base64url: only what is encoded like this is a cursor
    if (of === list && typeof key === 'string' && cursorAt(list, key) === cursor) return key;
  }
  throw new LonghaulError(
    'InvalidInput',
    `cursor: this is not a nextCursor of ${list}. Leave it out to start from the beginning.`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** What a receipt says is indexed, with names as they are shown; nulls while the first run over the repository has not finished. */
export function indexedState({ repository, commit, branch, indexedAt }: Receipt) {
  const isComplete = commit !== '';
  return {
    id: sanitizeName(repository),
    commit: isComplete ? commit : null,
    branch: branch === null ? null : sanitizeName(branch),
    indexedAt: isComplete && indexedAt !== '' ? indexedAt : null,
  };
}
