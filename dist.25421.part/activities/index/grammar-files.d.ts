/** The languages that are cut along their syntax, by grammar name. */
export declare const GRAMMARS: readonly string[];
/** A grammar's two files: the compiled parser, and the query that finds definitions. */
export interface GrammarFiles {
    readonly wasm: Uint8Array;
    readonly tags: string;
}
/** Reads a grammar of {@link GRAMMARS}. */
export declare function readGrammar(name: string): Promise<GrammarFiles>;
/** Sha256 over all grammars, hex, remembered in `cacheDir`: another one may cut files differently. */
export declare function grammarsDigest(cacheDir: string): Promise<string>;
