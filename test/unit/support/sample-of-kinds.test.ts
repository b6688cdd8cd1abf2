import { describe, expect, test } from 'vitest';
import { sampleWithKinds, seededSample } from '../../support/sample-of-kinds.ts';

const ALL = [
  { kind: 'plan', nth: 1 },
  { kind: 'apply', nth: 1 },
  { kind: 'apply', nth: 2 },
  { kind: 'undo', nth: 1 },
];

describe('a sample of boundaries', () => {
  test('has the last one of each kind that is named, then others', () => {
    expect(sampleWithKinds(ALL, ['apply'], 3)).toEqual([
      { kind: 'apply', nth: 2 },
      { kind: 'plan', nth: 1 },
      { kind: 'undo', nth: 1 },
    ]);
  });

  test('is refused where a kind that is named has none', () => {
    expect(() => sampleWithKinds(ALL, ['apply', 'delete'], 3)).toThrow('"delete"');
    expect(() => sampleWithKinds([], ['apply'], 3)).toThrow('"apply"');
  });

  test('by a seed is the same each time, and another one for another seed', () => {
    const sample = seededSample(ALL, 2, 1);
    expect(sample).toHaveLength(2);
    expect(new Set(sample.map(({ kind }) => kind)).size).toBe(2);
    expect(seededSample(ALL, 2, 1)).toEqual(sample);
    const others = [2, 3, 4, 5, 6].map((seed) => seededSample(ALL, 2, seed));
    expect(others).not.toEqual(others.map(() => sample));
  });

  test('by a seed has all kinds where there are no more', () => {
    expect(seededSample(ALL, 9, 1).map(({ kind }) => kind)).toEqual(expect.arrayContaining(['plan', 'apply', 'undo']));
  });
});
