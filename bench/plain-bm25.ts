/** Scores texts for a query, in the order of the texts. */
export type PlainSearch = (query: string) => Float64Array;

const K1 = 1.5;
const B = 0.75;

/** Textbook BM25 over lower-cased words, without splitting or stemming: the reference for the ranking. */
export function plainBm25(texts: readonly string[]): PlainSearch {
  const postings = new Map<string, Map<number, number>>();
  const lengths = texts.map((text, at) => {
    const words = wordsIn(text);
    for (const word of words) {
      const counts = postings.get(word) ?? new Map<number, number>();
      postings.set(word, counts.set(at, (counts.get(at) ?? 0) + 1));
    }
    return words.length;
  });
  const average = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
  return (query) => {
    const scores = new Float64Array(texts.length);
    for (const word of wordsIn(query)) {
      const counts = postings.get(word) ?? new Map<number, number>();
      const rarity = Math.log(1 + (texts.length - counts.size + 0.5) / (counts.size + 0.5));
      for (const [at, count] of counts) {
        const length = 1 - B + (B * (lengths[at] ?? 0)) / average;
        scores[at] = (scores[at] ?? 0) + (rarity * count * (K1 + 1)) / (count + K1 * length);
      }
    }
    return scores;
  };
}

function wordsIn(text: string): string[] {
  return text.toLowerCase().match(/\w+/g) ?? [];
}
