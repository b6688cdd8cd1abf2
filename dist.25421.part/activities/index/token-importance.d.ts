/**
 * What each token counts in the mean of a text: `a / (a + p)` for a token of probability p (smooth inverse frequency). The
 * probabilities follow Zipf's law over the vocabulary's order, which is by frequency, with the single ASCII characters moved to
 * the front: in source code nothing is more frequent than brackets, digits and one-letter names. A token that stands for no text
 * counts nothing.
 */
export declare function tokenImportance(vocabulary: readonly string[]): Float32Array;
