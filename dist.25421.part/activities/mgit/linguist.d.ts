import type { Declared } from '../../domain/catalog/attributes.ts';
import type { SkipReason } from '../../domain/catalog/change.ts';
/**
 * Linguist's rules that are about statistics of languages, not about who wrote a file: people look for what is in these.
 * Each is a line of `vendor.yml`.
 */
export declare const ORDINARY_SOURCES: readonly string[];
/** Linguist's list of vendored paths, as lines of regular expressions. */
export declare function linguistVendored(): readonly string[];
/** What a path and the repository's own attributes say against indexing a file: `skipByPath` and linguist's vendored paths. */
export declare function skipByConvention(path: string, declared: Declared): SkipReason | null;
