import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { createWordMemory, unitsOf } from '../../../../domain/catalog/search/word-memory.ts';

const upTo = (text: string): [Uint16Array, number, number] => [unitsOf(text), 0, text.length];

describe('a memory of words', () => {
  test.prop([
    fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\u{1f600}', '\ud800'), minLength: 1, maxLength: 12 })),
    fc.integer({ min: 1, max: 8 }),
  ])('gives what is made of a word, however much it has forgotten', (words, most) => {
    const memory = createWordMemory((word) => `made of ${word}`, { most, longest: 6 });
    for (const word of words) {
      const text = `<${word}>`;
      expect(memory.of(unitsOf(text), 1, text.length - 1)).toBe(`made of ${word}`);
    }
  });

  test('makes something of each word once until there are too many', () => {
    const made: string[] = [];
    const memory = createWordMemory((word) => made.push(word), { most: 3_000, longest: 6 });
    const words = Array.from({ length: 3_000 }, (_, n) => `w${n}`);
    for (const word of [...words, ...words]) memory.of(...upTo(word));
    expect(made).toEqual(words);
    memory.of(...upTo('more'));
    memory.of(...upTo('w0'));
    expect(made.slice(words.length)).toEqual(['more', 'w0']);
  });

  test('makes what is too long anew each time, of whatever length it is', () => {
    const made: number[] = [];
    const memory = createWordMemory((word) => made.push(word.length), { most: 10, longest: 6 });
    for (const length of [6, 6, 7, 7, 300_000]) memory.of(...upTo('x'.repeat(length)));
    expect(made).toEqual([6, 7, 7, 300_000]);
  });
});
