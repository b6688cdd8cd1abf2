/** A piece of a file. All pieces of a file in order are the file. */
export interface Chunk {
    /** 1-based. */
    readonly startLine: number;
    /** 1-based, inclusive. */
    readonly endLine: number;
    readonly text: string;
    /** Names of the definitions in it, in order, each once. */
    readonly symbols: string[];
    /** Names of the definitions around the whole of it, outermost first. */
    readonly scope: string[];
}
/** A chunk has at most this many characters that are not white space. */
export declare const CHUNK_SIZE = 1200;
/**
 * Cuts a text into chunks along the syntax of its language (as linguist names it), or by lines when there is no grammar for it
 * or the text is too much for the parser. Chunks begin at the start of a line, but for lines that are longer than a whole chunk.
 * The same text in the same language is always cut the same.
 */
export declare function chunk(text: string, language: string | null): Promise<Chunk[]>;
