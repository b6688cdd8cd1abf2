/** Turns text into the token ids that a BERT-like model was trained with. */
export interface WordPiece {
    /** The tokens by id. */
    readonly vocabulary: readonly string[];
    /** The ids of a text, without special tokens. */
    encode(text: string): number[];
    /** The ids of a text between `[CLS]` and `[SEP]`, cut so that there are at most `limit` of them all together. */
    encodeSequence(text: string, limit: number): number[];
}
/**
 * Reads a `tokenizer.json` of the kind that BERT and its descendants use (WordPiece model, BERT normalizer and pre-tokenizer).
 * Throws `InvalidConfiguration` for any other kind: wrong ids would silently make wrong vectors.
 */
export declare function createWordPiece(tokenizerJson: string): WordPiece;
