import type { Declared } from './attributes.ts';
import type { SkipReason } from './change.ts';
/**
 * What a path alone says against indexing a file: lock files, outputs of generators, minified scripts, installed packages.
 * Documentation is indexed. Rules that need linguist's data are in `activities/mgit/linguist.ts`.
 */
export declare function skipByPath(path: string, declared?: Declared): SkipReason | null;
/**
 * What a file's content says against indexing it. `declared` is what the repository says itself: a file that is declared
 * not to be generated is believed.
 */
export declare function skipByContent(path: string, content: Uint8Array, declared?: Declared): SkipReason | null;
