import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { createWordMemory, unitsOf } from '../../../../domain/catalog/search/word-memory.ts';

const upTo = (text: string): [Uint16Array, number, number] => [unitsOf(text), 0, text.length];

describe('a memory of words', () => {
  test.prop([
    fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\u{1f600}', '\ud800'), minLength: 1, maxLength: 12 })),
    fc.integer({ min: 1, max: 8 }),
  ])('returns the value of a word, even after evictions', (words, most) => {
    const memory = createWordMemory((word) => `made of ${word}`, { most, longest: 6 });
    for (const word of words) {
      const text = `<${word}>`;
      expect(memory.of(unitsOf(text), 1, text.length - 1)).toBe(`made of ${word}`);
    }
  });

  test('computes the value of each word once until the memory is full', () => {
    const made: string[] = [];
    const memory = createWordMemory((word) => made.push(word), { most: 3_000, longest: 6 });
    const words = Array.from({ length: 3_000 }, (_, n) => `w${n}`);
    for (const word of [...words, ...words]) memory.of(...upTo(word));
    expect(made).toEqual(words);
    memory.of(...upTo('more'));
    memory.of(...upTo('w0'));
    expect(made.slice(words.length)).toEqual(['more', 'w0']);
  });

  test('computes the value of a very long word each time', () => {
    const made: number[] = [];
    const memory = createWordMemory((word) => made.push(word.length), { most: 10, longest: 6 });
    for (const length of [6, 6, 7, 7, 300_000]) memory.of(...upTo('x'.repeat(length)));
    expect(made).toEqual([6, 7, 7, 300_000]);
  });
});
