/** How strongly frequent tokens are damped: a token of this probability has weight one half. */
const HALF = 3e-4;

/**
 * The weight of each token in the mean of a text: `a / (a + p)` for a token of probability p (smooth inverse
 * frequency). The probabilities follow Zipf's law over the vocabulary's order, which is by frequency, with the single
 * ASCII characters moved to the front: in source code nothing is more frequent than brackets, digits and one-letter
 * names. Special tokens have weight zero.
 */
export function tokenImportance(vocabulary: readonly string[]): Float32Array {
  const importance = new Float32Array(vocabulary.length);
  const texts = vocabulary.flatMap((token, id) => (/^\[.+\]$/.test(token) ? [] : [{ token, id }]));
  const ranked = texts
    .map(({ token, id }) => ({ id, group: groupOf(token) }))
    .sort((a, b) => a.group - b.group || a.id - b.id);
  const harmonic = ranked.reduce((sum, _, rank) => sum + 1 / (rank + 1), 0);
  for (const [rank, { id }] of ranked.entries()) {
    importance[id] = HALF / (HALF + 1 / ((rank + 1) * harmonic));
  }
  return importance;
}

/** Order: signs, then digits and letters, then tokens of several characters, then characters of other scripts. */
function groupOf(token: string): number {
  const character = token.replace(/^##(?=.)/, '');
  if (Array.from(character).length > 1) return 2;
  if (/[\0-\x7f]/.test(character)) return /[a-z0-9]/i.test(character) ? 1 : 0;
  return 3;
}
