import type { DistilledTables } from './static-model.ts';
/** The vectors that a transformer has for single tokens. */
export interface Teaching {
    /** All tokens by id. */
    readonly vocabulary: readonly string[];
    /** The ids that were asked for. */
    readonly tokens: readonly number[];
    /** One row for each of `tokens`. */
    readonly rows: Float32Array;
}
/** The tokens that texts consist of: those that are neither kept free nor mark something else than text. */
export declare function textTokens(vocabulary: readonly string[]): number[];
/**
 * Distils what a transformer says of single tokens: reduced to the 256 directions in which tokens differ most (principal
 * components), rounded to a byte each. Equal rows give equal tables, and almost equal ones (of another processor's arithmetic)
 * give almost equal tables, so that what one machine indexed another one finds.
 */
export declare function distilTables({ vocabulary, tokens, rows }: Teaching): DistilledTables;
